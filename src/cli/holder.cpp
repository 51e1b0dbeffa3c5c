#include "cli/holder.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <utility>
#include "libpm/os/keep_only.h"
#include "libpm/os/stream.h"
#include "libpm/util/text.h"

namespace pm::registry {

namespace {

enum Watched { process, token, ready };

/** The most reads that empty a pipe of 1 MiB, fs.pipe-max-size of pipe(7): a child of the program may write on and on. */
constexpr int reads_at_end = 4096;

/** Reads from `ready`, and publishes if it is time. Returns whether `ready` is no longer needed. */
bool read_ready(HolderTask &task, bool released, int process_end, Callback<bool(int)> publish) noexcept {
  char buffer[256];
  ssize_t const n = sys::read(task.ready.get(), buffer, sizeof buffer);
  if (n < 0) return false;
  bool const end = n == 0, newline = std::find(buffer, buffer + n, '\n') != buffer + n;
  if (task.newline ? newline : end) {
    // A program that has ended was ready before, and there is no registration any more that had to be published.
    if ((released || publish(process_end) || is_ready(process_end).value_or(false)) && task.forward.valid())
      (void)!sys::write(task.forward.get(), "\n", 1);
    return true;
  }
  // With `newline`, an end without one means that the program will never be ready. Without, a byte means that exec failed.
  return end || !task.newline;
}

[[noreturn]] void hold(HolderTask task, Callback<bool(int)> publish) noexcept {
  int const process_end = task.process.get();
  bool released = false;
  for (;;) {
    if (!task.token.valid() && !task.ready.valid()) ::_exit(0); // no token to hold, nothing to publish
    struct pollfd heard[] = {{process_end, POLLIN, 0}, {task.token.get(), POLLIN, 0}, {task.ready.get(), POLLIN, 0}};
    if (sys::poll(heard, 3, -1) < 0) {
      if (errno == EINVAL) ::_exit(111); // RLIMIT_NOFILE is now below 3, poll(2): a retry fails, too
      continue;                          // EINTR and ENOMEM are temporary, and an exit would end the registration
    }
    if (heard[process].revents) {
      // The program may have written its newline just before it ended. Read only what is there: a child of the program may keep
      // the pipe open.
      for (int left = reads_at_end; left && task.ready.valid() && is_ready(task.ready.get()).value_or(false); --left)
        if (read_ready(task, true, process_end, publish)) break;
      ::_exit(0);
    }
    if (heard[token].revents && was_released(task.token.get())) {
      released = true;
      task.token.reset();
    }
    if (!heard[ready].revents || !read_ready(task, released, process_end, publish)) continue;
    task.ready.reset();
    task.forward.reset();
    sys::close(STDERR_FILENO);
    if (task.keep >= 0) sys::close(std::exchange(task.keep, -1));
  }
}

/**
 * Gives this process a name and arguments of its own, so that pkill(1) does not take it for the program. `arguments`:
 * the last ones of this process, which lie one behind the other in memory: proc_pid_cmdline(5).
 */
void rename_process(char const *const *arguments, pid_t pid) noexcept {
  ::prctl(PR_SET_NAME, "pm-holder");
  while (arguments[1]) ++arguments;
  char *const start = program_invocation_name;
  char const *const end = *arguments + strlen(*arguments);
  if (end <= start) return;
  Text<64> const text = Text<64>("pm-holder of ") << pid;
  auto const size = static_cast<size_t>(end - start);
  memset(start, 0, size);
  memcpy(start, text.view().data(), std::min(size, text.size()));
}

} // namespace

bool was_released(int token) noexcept {
  char page[4096];
  (void)!sys::read(token, page, sizeof page);
  struct stat st;
  return sys::fstat(token, &st) == 0 && st.st_nlink == 0;
}

Done start_holder(HolderTask task, Callback<bool(int)> publish) noexcept {
  constexpr char const *doing = "start the token's holder";
  pid_t const middle = sys::fork_unseen();
  if (middle < 0) return failed(doing);
  if (middle == 0) {
    // Signals are meant for the program; SIGPIPE comes when the reader of `forward` has ended. The holder has its mask and its name
    // from its first moment, because this process has them before it forks.
    sigset_t all;
    ::sigfillset(&all);
    sys::pthread_sigmask(SIG_SETMASK, &all, nullptr);
    rename_process(task.arguments, task.pid);
    // Before the second fork, so that no process has the program's descriptors open when start_holder() returns.
    int kept[] = {task.process.get(), task.token.get(), task.ready.get(),
                  task.forward.get(), task.keep,        task.ready.valid() ? STDERR_FILENO : -1};
    keep_only(kept);
    pid_t const holder = sys::fork();
    if (holder != 0) ::_exit(holder < 0 ? errno : 0);
    sys::setsid();
    sys::chdir("/");
    hold(std::move(task), publish);
  }
  int status = 0;
  while (sys::waitpid(middle, &status, __WALL) < 0)
    if (errno != EINTR) return failed(doing);
  if (!WIFEXITED(status) || WEXITSTATUS(status)) return failed(doing, WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD);
  return {};
}

} // namespace pm::registry
