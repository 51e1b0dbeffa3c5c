#include "libpm/os/limits.h"

#include "libpm/os/sys.h"

namespace pm {

bool DescriptorLimit::raise() noexcept {
  if (raised_ || sys::getrlimit(RLIMIT_NOFILE, &before_) < 0 || before_.rlim_cur == before_.rlim_max) return false;
  struct rlimit const hard = {before_.rlim_max, before_.rlim_max};
  raised_ = sys::setrlimit(RLIMIT_NOFILE, &hard) == 0;
  return raised_;
}

void DescriptorLimit::restore() noexcept {
  if (raised_) sys::setrlimit(RLIMIT_NOFILE, &before_);
  raised_ = false;
}

} // namespace pm
