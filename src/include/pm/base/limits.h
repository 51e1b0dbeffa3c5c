/** Resource limits. */
#ifndef PM_BASE_LIMITS_H
#define PM_BASE_LIMITS_H

#include <sys/resource.h>

namespace pm {

/** The soft limit of descriptors, raised to the hard one when it is asked for, and put back at the end. */
class DescriptorLimit {
 public:
  DescriptorLimit() noexcept = default;
  DescriptorLimit(DescriptorLimit const &) = delete;
  DescriptorLimit &operator=(DescriptorLimit const &) = delete;
  ~DescriptorLimit() { restore(); }

  /** Whether there is more room now than before; a second time there never is. */
  bool raise() noexcept;
  void restore() noexcept;

 private:
  struct rlimit before_ = {};
  bool raised_ = false;
};

} // namespace pm

#endif
