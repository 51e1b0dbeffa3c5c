/** How often something may happen in a time. */
#ifndef PM_SUPER_RATE_H
#define PM_SUPER_RATE_H

#include <pm/base/list.h>
#include <stdint.h>

namespace pm::super {

/** At most `number` in any `ms` milliseconds: the last moments are kept, so that no window's edge doubles it. */
class Rate {
 public:
  /** 0: as often as may be. Memory grows with what happens, 8 bytes each, up to `number`. */
  Rate(uint32_t number, uint32_t ms) noexcept : number_(number), ms_(ms) {}

  [[nodiscard]] bool is_limited() const noexcept { return number_ != 0; }
  [[nodiscard]] uint32_t number() const noexcept { return number_; }
  [[nodiscard]] uint32_t ms() const noexcept { return ms_; }
  /** It has happened. False: there is no memory to count it. */
  [[nodiscard]] bool count() noexcept;
  /** How long until it may happen again, ms; 0: it may now. */
  [[nodiscard]] int wait() const noexcept;

 private:
  uint32_t number_, ms_;
  uint32_t oldest_ = 0;
  List<uint64_t> moments_; /**< of the last ones, boottime(), a ring once there are as many as may be */
};

} // namespace pm::super

#endif
