/** A limit of events in a time. */
#pragma once

#include <pm/types.h>
#include <stdint.h>

namespace pm::super {

/**
 * At most `number` events in any `ms` milliseconds. It keeps the times of the last `number` events, so the limit holds in every
 * window.
 */
class Rate {
 public:
  /** `number` 0: no limit. It uses 8 bytes for each of the last `number` events. */
  Rate(uint32_t number, uint32_t ms) noexcept : number_(number), ms_(ms) {}

  [[nodiscard]] bool is_limited() const noexcept { return number_ != 0; }
  [[nodiscard]] uint32_t number() const noexcept { return number_; }
  [[nodiscard]] uint32_t ms() const noexcept { return ms_; }
  /** Counts an event now. False: out of memory. */
  [[nodiscard]] bool count() noexcept;
  /** The time until another event is within the limit, ms; 0: it is within the limit now. */
  [[nodiscard]] int wait() const noexcept;

 private:
  uint32_t number_, ms_;
  uint32_t oldest_ = 0;
  List<uint64_t> times_; /**< of the last events, as boottime(); a ring once it is full */
};

} // namespace pm::super
