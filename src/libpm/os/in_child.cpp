#include "libpm/os/in_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "libpm/os/stream.h"
#include "libpm/os/sys.h"

namespace pm {

pid_t start_child(int flags, Callback<void()> work) noexcept {
  pid_t const child = sys::fork_unseen(flags);
  if (child != 0) return child;
  work();
  ::_exit(0);
}

Result<size_t> in_child(Callback<void(int)> work, std::span<char> answer, char const *doing, Limit limit) noexcept {
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) < 0) return failed(doing);
  Fd const reading(ends[0]);
  Fd writing(ends[1]);
  pid_t const parent = ::getpid(), child = start_child(0, [&]() noexcept {
                                     if (::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && ::getppid() == parent) work(ends[1]);
                                   });
  if (child < 0) return failed(doing);
  writing.reset();

  auto const ready = wait_for(reading.get(), POLLIN, limit);
  ssize_t const n = ready ? sys::read(reading.get(), answer.data(), answer.size()) : 0;
  if (!ready) sys::kill(child, SIGKILL);
  while (sys::waitpid(child, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  if (!ready) return failed(doing, ready.error().code);
  return n < 0 ? size_t{0} : static_cast<size_t>(n);
}

} // namespace pm
