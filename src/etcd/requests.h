/** The requests of etcd's API that the programs use, and their answers. */
#pragma once

#include "etcd/gateway.h"
#include "etcd/key_space.h"
#include "libpm/util/callback.h"

namespace pm::etcd {

/** A key with its value. The texts are valid during the call that passes it. */
struct KeyValue {
  std::string_view key, value;
  uint64_t lease = 0;    /**< 0: it does not end with a lease */
  uint64_t revision = 0; /**< of the last change */
};

/** Bytes of a KeyValue that is read from JSON; kept for the next one. */
class KeyValueReader {
 public:
  /** Nothing: malformed, or out of memory. */
  [[nodiscard]] std::optional<KeyValue> read(json_t const *json) noexcept;

 private:
  List<char> key_, value_;
};

/** Keys from `begin` up to, and without, `end`. */
struct KeyRange {
  Key begin, end;
  /** The keys that begin with `prefix`, whose last byte is not 0xff. */
  [[nodiscard]] static KeyRange below(std::string_view prefix) noexcept;
  [[nodiscard]] static KeyRange of(std::string_view key) noexcept;
};

using VisitKey = Callback<Reply<void>(KeyValue const &)>;
/**
 * Visits all keys of a range, in order, as they were at one revision, and returns that revision. It reads them in pieces, smaller ones if
 * an answer would be too long.
 */
[[nodiscard]] Reply<uint64_t> read_range(Gateway &gateway, KeyRange const &range, VisitKey visit, int stop) noexcept;
/** Has a majority of the members confirm that this endpoint has all changes. */
[[nodiscard]] Reply<void> confirm(Gateway &gateway, KeyRange const &range, int stop) noexcept;

/** Makes a lease with this ID, which ends `ttl` seconds after the last keep_alive(). */
[[nodiscard]] Reply<void> grant(Gateway &gateway, uint64_t lease, uint32_t ttl, int stop) noexcept;
/** False: the lease has ended. */
[[nodiscard]] Reply<bool> keep_alive(Gateway &gateway, uint64_t lease, int stop) noexcept;
/** Ends a lease, with all its keys. */
[[nodiscard]] Reply<void> revoke(Gateway &gateway, uint64_t lease, int stop) noexcept;

/** Changes that are made all, or, if a condition is false, none. */
class KeyTransaction {
 public:
  KeyTransaction() noexcept;
  /** The most operations of a transaction; etcd's own default limit is 128. */
  static constexpr size_t operations_max = 100;

  void if_missing(std::string_view key) noexcept;
  void if_lease(std::string_view key, uint64_t lease) noexcept;
  void put(std::string_view key, std::string_view value, uint64_t lease) noexcept;
  void remove(std::string_view key) noexcept;
  [[nodiscard]] size_t operation_count() const noexcept { return json_array_size(operations_); }
  /** False: a condition is false. */
  [[nodiscard]] Reply<bool> run(Gateway &gateway, int stop) noexcept;

 private:
  void add(json_t *list, json_t *made) noexcept;

  Json request_;
  json_t *conditions_ = nullptr, *operations_ = nullptr; /**< parts of request_ */
  bool is_complete_ = true;                              /**< false: out of memory */
};

} // namespace pm::etcd
