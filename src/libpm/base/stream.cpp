#include <pm/base/stream.h>

#include <limits.h>
#include <pm/base/sigpipe.h>
#include <algorithm>

namespace pm {

Done wait_for(int fd, short events, Deadline deadline, int stop) noexcept {
  constexpr char const *doing = "wait";
  struct pollfd fds[2] = {{fd, events, 0}, {stop, POLLIN, 0}};
  for (;;) {
    int const n = sys::poll(fds, 2, deadline.remaining());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(doing);
    if (fds[0].revents) return {};
    if (fds[1].revents) return failed(doing, ECANCELED);
    if (n == 0 && deadline.remaining() == 0) return failed(doing, ETIMEDOUT);
  }
}

Done write_all(int fd, std::string_view bytes, Deadline deadline, int stop) noexcept {
  NoSigpipe guard;
  while (!bytes.empty()) {
    if (auto const ready = wait_for(fd, POLLOUT, deadline, stop); !ready) return failed("write", ready.error().code);
    // Where poll says that there is room, a pipe has PIPE_BUF bytes of it and a socket more: this much does not block.
    ssize_t const n = guard.write(fd, bytes.substr(0, std::min<size_t>(bytes.size(), PIPE_BUF)));
    if (n < 0 && errno != EINTR && errno != EAGAIN) return failed("write");
    if (n > 0) bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

} // namespace pm
