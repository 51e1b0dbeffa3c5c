/** Deadlines and the clocks of records and names. */
#ifndef PM_BASE_TIME_H
#define PM_BASE_TIME_H

#include <stdint.h>

namespace pm {

/** A moment by which an operation gives up, on CLOCK_MONOTONIC; by default there is none. */
class Deadline {
 public:
  constexpr Deadline() noexcept = default;
  /** `ms` milliseconds from now; 0 is never. */
  [[nodiscard]] static Deadline in(uint32_t ms) noexcept;
  /** One that has passed: for what is to be tried and not waited for. */
  [[nodiscard]] static constexpr Deadline passed() noexcept {
    Deadline d;
    d.at_ = long_ago;
    return d;
  }
  /** What is left, as poll(2) wants it: milliseconds rounded up, 0 when it has passed, -1 when there is none. */
  [[nodiscard]] int remaining() const noexcept;

 private:
  static constexpr uint64_t long_ago = 1;
  uint64_t at_ = 0; /**< ns; 0 is never */
};

/** CLOCK_BOOTTIME in ns: orders registrations, and does not jump when somebody sets the date. */
[[nodiscard]] uint64_t boottime() noexcept;

} // namespace pm

#endif
