#include "libpm/os/time.h"

#include <limits.h>
#include "libpm/os/sys.h"
#include "libpm/util/result.h"

namespace pm {

namespace {
constexpr uint64_t ns_in_s = 1'000'000'000, ns_in_ms = 1'000'000;

uint64_t now(clockid_t clock) noexcept {
  struct timespec t;
  if (sys::clock_gettime(clock, &t) < 0) bug("a clock of the kernel's cannot be read");
  return static_cast<uint64_t>(t.tv_sec) * ns_in_s + static_cast<uint64_t>(t.tv_nsec);
}
} // namespace

Deadline Deadline::in_ms(int64_t count, int64_t dividend, int64_t divisor) noexcept {
  // A time of more than 100 years is without a deadline.
  constexpr int64_t most = 100LL * 366 * 24 * 3600 * 1000;
  if (count <= 0) return passed();
  Deadline d;
  if (count / divisor >= most / dividend) return d;
  auto const ms = static_cast<uint64_t>((count / divisor) * dividend + ((count % divisor) * dividend + divisor - 1) / divisor);
  d.at_ = now(CLOCK_MONOTONIC) + ms * ns_in_ms;
  return d;
}

int Deadline::remaining() const noexcept {
  if (!at_) return -1;
  // Servers ask this for every connection, so it does not read the clock.
  if (at_ == long_ago) return 0;
  uint64_t const t = now(CLOCK_MONOTONIC);
  if (t >= at_) return 0;
  uint64_t const ms = (at_ - t + ns_in_ms - 1) / ns_in_ms;
  return ms > INT_MAX ? INT_MAX : static_cast<int>(ms);
}

uint64_t boottime() noexcept {
  return now(CLOCK_BOOTTIME);
}

} // namespace pm
