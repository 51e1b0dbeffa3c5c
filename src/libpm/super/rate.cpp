#include "libpm/super/rate.h"
#include <limits.h>
#include "libpm/os/time.h"

namespace pm::super {

bool Rate::count() noexcept {
  if (!number_) return true;
  uint64_t const now = boottime();
  if (times_.size() < number_) return times_.append(now);
  times_[oldest_] = now;
  if (++oldest_ == number_) oldest_ = 0;
  return true;
}

int Rate::wait() const noexcept {
  if (!number_ || times_.size() < number_) return 0;
  uint64_t const next = times_[oldest_] + uint64_t{ms_} * 1000000, now = boottime();
  if (next <= now) return 0;
  uint64_t const ms = (next - now + 999999) / 1000000;
  return ms > INT_MAX ? INT_MAX : static_cast<int>(ms);
}

} // namespace pm::super
