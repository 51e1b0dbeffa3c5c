#include "libpm/os/own_umask.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "libpm/os/sys.h"

namespace pm {

namespace {

/** In bytes, for the deepest change of a registry. Pages that are not used take no memory. */
constexpr size_t stack_size = 1 << 19;

struct Child {
  Callback<void()> const &work;
  bool volatile done = false;
};

int run(void *argument) noexcept {
  auto *const child = static_cast<Child *>(argument);
  child->work();
  child->done = true;
  return 0;
}

} // namespace

void with_own_umask(Callback<void()> work) noexcept {
  void *const stack = ::malloc(stack_size);
  if (!stack) return work();
  // A handler of this process must not run in the child.
  sigset_t all, before;
  sigfillset(&all);
  sys::pthread_sigmask(SIG_SETMASK, &all, &before);
  Child child{work};
  pid_t const pid = sys::clone_with_own_umask(run, static_cast<char *>(stack) + stack_size, &child);
  if (pid >= 0)
    while (sys::waitpid(pid, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  sys::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::free(stack);
  // qemu-user gives the child a copy of the memory; what the child did there has ended with it.
  if (!child.done) work();
}

} // namespace pm
