/** Other hosts' registrations in etcd, as lines for pm-mirror: pm-cluster(7). */
#pragma once

#include "etcd/outage.h"
#include "etcd/watch_stream.h"

namespace pm::etcd {

/** Each step does one request. After an error, it begins again with a snapshot, from another endpoint. */
class Follower {
 public:
  /** `host`: this one, whose keys are left out. Borrows all. */
  Follower(Gateway &gateway, KeySpace const &keys, std::string_view host, Log &log) noexcept
      : gateway_(&gateway), keys_(&keys), host_(host), log_(&log), outage_(log), stream_(gateway) {}

  /** Does all that is due. `stop`: a descriptor that ends it when it is readable. */
  void work(int stop) noexcept;
  /** The time until work() is due, in ms, as poll(2) takes it. It is also due when something has arrived from etcd. */
  [[nodiscard]] int left() noexcept;
  /** The lines for pm-mirror since the last call. */
  [[nodiscard]] List<char> take_lines() noexcept { return std::move(lines_); }

 private:
  [[nodiscard]] bool is_due() noexcept;
  [[nodiscard]] Reply<void> step(int stop) noexcept;
  [[nodiscard]] Reply<void> read_all(int stop) noexcept;
  [[nodiscard]] std::optional<KeySpace::Parts> parts_for_others(KeyValue const &pair, bool is_removal) noexcept;
  [[nodiscard]] Reply<void> add_up(List<char> &lines, KeyValue const &pair) noexcept;
  [[nodiscard]] Reply<void> add_event(WatchEvent const &event) noexcept;
  void report(KeyValue const &pair) noexcept;
  [[nodiscard]] KeyRange range() const noexcept { return KeyRange::below(keys_->prefix()); }

  Gateway *gateway_;
  KeySpace const *keys_;
  std::string_view host_;
  Log *log_;
  Outage outage_;
  WatchStream stream_;
  List<char> lines_;
  uint64_t revision_ = 0; /**< at which all keys were read */
  uint64_t reported_ = 0; /**< what has no registration was reported up to this revision */
  unsigned reports_ = 0;  /**< of values, since all keys were read */
  Deadline read_all_ = Deadline::passed(), confirm_;
};

} // namespace pm::etcd
