/** The resource limit of descriptors. */
#pragma once

#include <sys/resource.h>

namespace pm {

/** Raises the soft limit of descriptors to the hard limit on demand, and restores it at the end. */
class DescriptorLimit {
 public:
  DescriptorLimit() noexcept = default;
  DescriptorLimit(DescriptorLimit const &) = delete;
  DescriptorLimit &operator=(DescriptorLimit const &) = delete;
  ~DescriptorLimit() { restore(); }

  /** Returns whether the limit is higher than before the call. After a call that returned true, it is false until restore(). */
  bool raise() noexcept;
  void restore() noexcept;

 private:
  struct rlimit before_ = {};
  bool raised_ = false;
};

} // namespace pm
