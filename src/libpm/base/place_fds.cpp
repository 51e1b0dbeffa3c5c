#include <pm/base/listen_fds.h>

#include <fcntl.h>
#include <pm/base/sys.h>

namespace pm {

Done place_fds(size_t count, int first, Callback<Fd &(size_t i)> fd_of) noexcept {
  constexpr char const *doing = "have descriptors for";
  int const end = first + static_cast<int>(count);
  // First all out of the way of each other.
  for (size_t i = 0; i < count; ++i)
    if (Fd &fd = fd_of(i); fd.get() < end) {
      int const moved = sys::fcntl(fd.get(), F_DUPFD_CLOEXEC, end);
      if (moved < 0) return failed(doing);
      fd.reset(moved);
    }
  for (size_t i = 0; i < count; ++i)
    if (sys::dup2(fd_of(i).get(), first + static_cast<int>(i)) < 0) return failed(doing);
  return {};
}

} // namespace pm
