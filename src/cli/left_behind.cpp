#include "cli/left_behind.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/os/keep_only.h"
#include "libpm/os/sys.h"
#include "libpm/util/text.h"

namespace pm {

namespace {
/**
 * Gives this process a name and arguments of its own, so that pkill(1) does not take it for the program. The arguments of a
 * process lie one behind the other in memory: proc_pid_cmdline(5).
 */
void rename_process(LeftBehind const &what) noexcept {
  ::prctl(PR_SET_NAME, what.name);
  char const *const *arguments = what.arguments;
  while (arguments[1]) ++arguments;
  char *const start = program_invocation_name;
  char const *const end = *arguments + strlen(*arguments);
  if (end <= start) return;
  Text<64> const text = Text<64>(what.name) << " of " << what.pid;
  auto const size = static_cast<size_t>(end - start);
  memset(start, 0, size);
  memcpy(start, text.view().data(), std::min(size, text.size()));
}
} // namespace

Done leave_behind(LeftBehind const &what, std::span<int const> kept, Callback<void()> work) noexcept {
  pid_t const middle = sys::fork_unseen();
  if (middle < 0) return failed(what.doing);
  if (middle == 0) {
    // Signals are meant for the program; SIGPIPE comes when the reader of a pipe has ended. The process has its mask and its name
    // from its first moment, because this one has them before it forks.
    sigset_t all;
    ::sigfillset(&all);
    sys::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    rename_process(what);
    // Before the second fork, so that no process has the program's descriptors open when this function returns.
    keep_only(kept);
    pid_t const left = sys::fork();
    if (left != 0) ::_exit(left < 0 ? errno : 0);
    sys::setsid();
    sys::chdir("/");
    work();
    ::_exit(0);
  }
  int status = 0;
  while (sys::waitpid(middle, &status, __WALL) < 0)
    if (errno != EINTR) return failed(what.doing);
  if (!WIFEXITED(status) || WEXITSTATUS(status)) return failed(what.doing, WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD);
  return {};
}

} // namespace pm
