/** A host's claim of its name in etcd, and the lease that all its keys are bound to: pm-cluster(7). */
#pragma once

#include "etcd/publisher_settings.h"
#include "etcd/watch_stream.h"

namespace pm::etcd {

/** Each step does one request, or a few that belong together. After an error, call begin_again(). */
class HostClaim {
 public:
  /** Borrows all three. */
  HostClaim(Gateway &gateway, PublisherSettings const &settings, Log &log) noexcept
      : gateway_(&gateway), settings_(&settings), log_(&log), watch_(gateway) {}

  [[nodiscard]] bool is_held() const noexcept { return lease_; }
  /** 0: the claim is not held. */
  [[nodiscard]] uint64_t lease() const noexcept { return lease_; }
  /** The key that the claim is. */
  [[nodiscard]] Key name() const noexcept { return settings_->keys.claim(settings_->policy.host); }

  /** Whether step() has something to do: the claim is free or not looked at, or its lease is to be renewed. */
  [[nodiscard]] bool is_due() noexcept;
  /** The time until it is due, in ms, as poll(2) takes it. It is also due when something has arrived from etcd. */
  [[nodiscard]] int left() noexcept { return lease_ ? keep_alive_.remaining() : look_.remaining(); }
  /** Takes the claim, waits for another host to lose it, or renews the lease. */
  [[nodiscard]] Reply<void> step(int stop) noexcept;
  /** Looks at the claim anew, if it is not held. */
  void begin_again() noexcept;
  /** The lease has ended in etcd. */
  void lose() noexcept;
  /** Ends the lease, and so removes all keys of this host. */
  [[nodiscard]] Reply<void> release() noexcept;

 private:
  [[nodiscard]] Reply<void> take(int stop) noexcept;
  [[nodiscard]] Reply<void> resume(KeyValue const &claim, json_t const *value, int stop) noexcept;
  [[nodiscard]] Reply<void> make(int stop) noexcept;
  [[nodiscard]] Reply<void> renew(int stop) noexcept;
  void hold(uint64_t lease) noexcept;
  [[nodiscard]] bool append_value(List<char> &text) const noexcept;

  Gateway *gateway_;
  PublisherSettings const *settings_;
  Log *log_;
  uint64_t lease_ = 0;
  WatchStream watch_; /**< while another host has the claim */
  bool is_taken_ = false;
  Deadline keep_alive_, look_;
};

} // namespace pm::etcd
