/** The place where the test build makes system calls fail, for the files that make them: sys*.cpp and file_identity.cpp. */
#pragma once

#include <errno.h>

#ifdef PM_FAULTS
int fault_before(char const *name) noexcept; // tests/fault
#else
constexpr int fault_before(char const *) noexcept {
  return 0;
}
#endif

namespace pm::sys {

/** Makes a system call, unless fault_before() returns an errno: then the call fails with it. */
template <class Call>
auto through(char const *name, Call call) noexcept -> decltype(call()) {
  if (int const code = fault_before(name)) {
    errno = code;
    return static_cast<decltype(call())>(-1);
  }
  return call();
}

} // namespace pm::sys
