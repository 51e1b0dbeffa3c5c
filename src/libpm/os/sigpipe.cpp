#include "libpm/os/sigpipe.h"

#include <errno.h>

namespace pm {

NoSigpipe::NoSigpipe() noexcept {
  sigemptyset(&pipe_);
  sigaddset(&pipe_, SIGPIPE);
  sys::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
}

NoSigpipe::~NoSigpipe() {
  struct timespec const now = {};
  if (raised_ && !sigismember(&before_, SIGPIPE)) sys::sigtimedwait(&pipe_, &now);
  sys::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

ssize_t NoSigpipe::write(int fd, std::string_view bytes) noexcept {
  ssize_t const n = sys::write(fd, bytes.data(), bytes.size());
  if (n < 0 && errno == EPIPE) raised_ = true;
  return n;
}

} // namespace pm
