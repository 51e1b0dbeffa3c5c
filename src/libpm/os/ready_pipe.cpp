#include "libpm/os/ready_pipe.h"

#include <fcntl.h>

namespace pm {

Result<ReadyPipe> ReadyPipe::make(int fd) noexcept {
  constexpr char const *doing = "make a pipe for readiness";
  ReadyPipe pipe;
  if (fd >= 0) pipe.outer.reset(sys::fcntl(fd, F_DUPFD_CLOEXEC, 3));
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) < 0) return failed(doing);
  pipe.reading.reset(ends[0]);
  pipe.writing.reset(ends[1]);
  if (fd < 0) return pipe;

  // `fd` was free, so one end of the pipe may have got this number.
  if (pipe.reading.get() == fd) {
    int const moved = sys::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (moved < 0) return failed(doing);
    pipe.reading.reset(moved);
  }
  if (pipe.writing.get() == fd ? sys::fcntl(fd, F_SETFD) < 0 : sys::dup2(pipe.writing.get(), fd) < 0) return failed(doing);
  if (pipe.writing.get() == fd) (void)pipe.writing.release();
  pipe.writing.reset();
  return pipe;
}

} // namespace pm
