#include "libpm/os/stream.h"

#include <limits.h>
#include <algorithm>
#include "libpm/os/sigpipe.h"

namespace pm {

Done wait_for(int fd, short events, Limit limit) noexcept {
  constexpr char const *doing = "wait";
  struct pollfd fds[2] = {{fd, events, 0}, {limit.stop, POLLIN, 0}};
  for (;;) {
    int const n = sys::poll(fds, 2, limit.deadline.remaining());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(doing);
    if (fds[0].revents) return {};
    if (fds[1].revents) return failed(doing, ECANCELED);
    if (n == 0 && limit.deadline.remaining() == 0) return failed(doing, ETIMEDOUT);
  }
}

Result<bool> is_ready(int fd, short events) noexcept {
  struct pollfd now = {fd, events, 0};
  int n;
  // A signal interrupts even this, with SA_RESTART too.
  do n = sys::poll(&now, 1, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0) return failed("look at a descriptor");
  return n == 1 && !(now.revents & POLLNVAL);
}

Done write_all(int fd, std::string_view bytes, Limit limit) noexcept {
  NoSigpipe guard;
  while (!bytes.empty()) {
    if (auto const ready = wait_for(fd, POLLOUT, limit); !ready) return failed("write", ready.error().code);
    // After POLLOUT a pipe has room for PIPE_BUF bytes, and a socket for more: a write of this size does not block.
    ssize_t const n = guard.write(fd, bytes.substr(0, std::min<size_t>(bytes.size(), PIPE_BUF)));
    if (n < 0 && errno != EINTR && errno != EAGAIN) return failed("write");
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

} // namespace pm
