/** The watchdog of sd_watchdog_enabled(3). */
#pragma once

#include <pm/types.h>
#include "libpm/os/time.h"

namespace pm::notify {

/** The deadline in so many microseconds; no deadline if it is UINT64_MAX or more than 49 days away. */
[[nodiscard]] inline Deadline deadline_in_us(uint64_t us) noexcept {
  uint64_t const ms = us / 1000 + (us % 1000 != 0);
  if (ms > UINT32_MAX) return {};
  return ms ? time_limit(static_cast<uint32_t>(ms)) : Deadline::passed();
}

/** Expects a sign of life in each interval, once it has been started. */
class Watchdog {
 public:
  /** Microseconds; 0: it expects nothing. */
  void set_interval(uint64_t us) noexcept {
    interval_us_ = us;
    if (runs_) start();
  }
  [[nodiscard]] uint64_t interval() const noexcept { return interval_us_; }
  /** From now on. Also after each sign of life. */
  void start() noexcept {
    runs_ = true;
    until_ = interval_us_ ? deadline_in_us(interval_us_) : Deadline();
  }
  void stop() noexcept {
    runs_ = false;
    until_ = {};
  }
  /** The time left in ms, as poll(2) takes it; -1: it expects nothing. */
  [[nodiscard]] int remaining() const noexcept { return until_.remaining(); }

 private:
  uint64_t interval_us_ = 0;
  bool runs_ = false;
  Deadline until_;
};

} // namespace pm::notify
