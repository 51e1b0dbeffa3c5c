/** Clocks and waits for the library only; Deadline and Limit are public. */
#pragma once

#include <pm/types.h>

namespace pm {

/** CLOCK_BOOTTIME in ns. It orders registrations, and does not jump when the date is set. */
[[nodiscard]] uint64_t boottime() noexcept;

/** The time limit of an option or a constant: `ms` milliseconds from now; 0: none. */
[[nodiscard]] inline Deadline time_limit(uint32_t ms) noexcept {
  return ms ? Deadline::in_ms(ms) : Deadline();
}

/** The shorter of two times as poll(2) takes them: ms, -1 is without end. */
[[nodiscard]] constexpr int shorter(int a, int b) noexcept {
  return a < 0 ? b : b < 0 || a < b ? a : b;
}

/** One second in which a server tries nothing, because the system lacked descriptors, memory or processes. */
class Pause {
 public:
  void begin() noexcept { until_ = time_limit(1000); }
  void end() noexcept { until_ = Deadline::passed(); }
  [[nodiscard]] bool is_on() const noexcept { return until_.remaining() != 0; }
  /** The time left, in ms, as poll(2) takes it; -1 when it is over. */
  [[nodiscard]] int left() const noexcept {
    int const left = until_.remaining();
    return left ? left : -1;
  }

 private:
  Deadline until_ = Deadline::passed();
};

} // namespace pm
