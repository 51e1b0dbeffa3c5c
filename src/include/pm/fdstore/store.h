/** Descriptors by name. It knows no socket and no rules: who may do what is handed in. */
#ifndef PM_FDSTORE_STORE_H
#define PM_FDSTORE_STORE_H

#include <pm/base/epoll.h>
#include <pm/fdstore/protocol.h>

namespace pm::fdstore {

struct Entry {
  Text<name_max + 1> name;
  uid_t owner;    /**< who stored it */
  uint64_t since; /**< boottime() */
  uint64_t until; /**< boottime() at which it is dropped; 0: never */
  int fd;
  bool watched; /**< its peer's end would be heard of */
};

class Descriptors {
 public:
  /** `most`: descriptors in all; `most_of_one`: of a user. */
  Descriptors(uint32_t most, uint32_t most_of_one) noexcept : most_(most), most_of_one_(most_of_one) {}
  Descriptors(Descriptors const &) = delete;
  Descriptors &operator=(Descriptors const &) = delete;
  ~Descriptors();

  [[nodiscard]] Done make() noexcept;

  /** Nothing: it is kept; or why not. `lifetime` ms, 0: for ever. `is_limited`: whether most_of_one is for this owner. ENOMEM. */
  [[nodiscard]] Result<std::optional<Refusal>> add(std::string_view name, Fd fd, uid_t owner, uint32_t lifetime,
                                                   bool is_limited) noexcept;
  /** The same of one that was in a store before. */
  [[nodiscard]] Done restore(Entry const &entry) noexcept;
  /** Null: there is none. Until the store changes. */
  [[nodiscard]] Entry const *find(std::string_view name) const noexcept;
  void remove(std::string_view name) noexcept;

  /** A list's row; views `entry` and `address`. */
  [[nodiscard]] static Row row(Entry const &entry, Text<128> &address) noexcept;
  /** By name. */
  [[nodiscard]] std::span<Entry const> entries() const noexcept { return {entries_.begin(), entries_.size()}; }

  /** Readable when a peer of one has ended: then drop_ended(). */
  [[nodiscard]] int fd() const noexcept { return ends_->fd(); }
  /** Drops those whose peers have ended, and those whose time has come; each is said. */
  void drop_ended() noexcept;
  void drop_expired() noexcept;
  /** Until the next one's time, as poll(2) wants it; -1: none has one. */
  [[nodiscard]] int next_expiry() const noexcept;

 private:
  [[nodiscard]] size_t place_of(std::string_view name) const noexcept;
  [[nodiscard]] bool insert(Entry const &entry) noexcept;
  void remove_at(size_t i) noexcept;
  [[nodiscard]] bool watch(int fd) noexcept;

  uint32_t most_, most_of_one_;
  List<Entry> entries_;
  std::optional<Epoll> ends_;
};

} // namespace pm::fdstore

#endif
