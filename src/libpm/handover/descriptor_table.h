/** The descriptors in a store, by name. */
#pragma once

#include "libpm/handover/store_protocol.h"
#include "libpm/os/epoll.h"
#include "libpm/util/log.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm::handover {

struct StoredDescriptor {
  Text<stored_name_max + 1> name;
  uid_t owner;    /**< the user that stored it */
  uint64_t since; /**< boottime() */
  uint64_t until; /**< boottime() at which the table drops it; 0: never */
  int fd;
  bool watched; /**< the table drops it when its peer ends */
};

/** Owns the descriptors. It knows neither clients nor rules. */
class DescriptorTable {
 public:
  /** `most`: descriptors in all; `most_of_one`: of each user. */
  DescriptorTable(uint32_t most, uint32_t most_of_one, Log &log) noexcept : most_(most), most_of_one_(most_of_one), log_(&log) {}
  DescriptorTable(DescriptorTable const &) = delete;
  DescriptorTable &operator=(DescriptorTable const &) = delete;
  ~DescriptorTable();

  /** Call it once, before the other functions. */
  [[nodiscard]] Done make() noexcept;

  /**
   * Keeps a descriptor, or returns the refusal. `lifetime`: ms, 0: without limit. `is_limited`: most_of_one applies to this
   * owner, who leaves places for other users and for owners without limit, util/places.h. ENOMEM.
   */
  [[nodiscard]] Result<std::optional<StoreRefusal>> add(std::string_view name, Fd fd, uid_t owner, uint32_t lifetime,
                                                        bool is_limited) noexcept;
  /** Keeps a descriptor that the previous version of the program kept. The limits do not apply. ENOMEM. */
  [[nodiscard]] Done restore(StoredDescriptor const &stored) noexcept;
  /** Null: the table has no such name. The result is valid until the table changes. */
  [[nodiscard]] StoredDescriptor const *find(std::string_view name) const noexcept;
  void remove(std::string_view name) noexcept;

  /** The row of a listing. It views `stored` and `address`. */
  [[nodiscard]] static StoreRow row(StoredDescriptor const &stored, Text<128> &address) noexcept;
  /** In the order of their names. */
  [[nodiscard]] std::span<StoredDescriptor const> all() const noexcept { return {all_.begin(), all_.size()}; }

  /** Readable when the peer of a descriptor has ended: then call drop_ended(). */
  [[nodiscard]] int fd() const noexcept { return ends_->fd(); }
  /** Drops the descriptors whose peers have ended, and logs each. */
  void drop_ended() noexcept;
  /** Drops the descriptors whose lifetime is over, and logs each. */
  void drop_expired() noexcept;
  /** The time until the next lifetime is over, as poll(2) takes it; -1: no descriptor has one. */
  [[nodiscard]] int next_expiry() const noexcept;

 private:
  [[nodiscard]] size_t place_of(std::string_view name) const noexcept;
  [[nodiscard]] bool insert(StoredDescriptor const &stored) noexcept;
  void remove_at(size_t i) noexcept;
  [[nodiscard]] bool watch(int fd) noexcept;

  uint32_t most_, most_of_one_;
  Log *log_;
  List<StoredDescriptor> all_; /**< in the order of their names */
  std::optional<Epoll> ends_;
};

} // namespace pm::handover
