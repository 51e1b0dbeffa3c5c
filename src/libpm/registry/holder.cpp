#include <pm/registry/holder.h>

#include <pm/base/keep_only.h>
#include <pm/base/process.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <utility>

namespace pm::registry {

namespace {

enum Watched { process, token, ready };

/** Reads `ready`; whether that was the last that is wanted from it. */
bool hear(HolderTask &task, bool released, int process_end, Callback<bool(int)> publish) noexcept {
  char buffer[256];
  ssize_t const n = sys::read(task.ready.get(), buffer, sizeof buffer);
  if (n < 0) return false;
  bool const end = n == 0, newline = std::find(buffer, buffer + n, '\n') != buffer + n;
  if (task.newline ? newline : end) {
    if ((released || publish(process_end)) && task.forward.valid()) (void)!sys::write(task.forward.get(), "\n", 1);
    return true;
  }
  // An end without a newline is never to be ready; a byte where none is wanted says that exec failed.
  return end || !task.newline;
}

[[noreturn]] void hold(Fd process_end, HolderTask task, Callback<bool(int)> publish) noexcept {
  bool released = false;
  for (;;) {
    if (!task.token.valid() && !task.ready.valid()) ::_exit(0); // nothing to hold, nothing to wait for
    struct pollfd heard[] = {{process_end.get(), POLLIN, 0}, {task.token.get(), POLLIN, 0}, {task.ready.get(), POLLIN, 0}};
    if (sys::poll(heard, 3, -1) < 0) {
      if (errno == EINVAL) ::_exit(111); // somebody took our descriptors' numbers away: that does not pass
      continue;                          // EINTR or ENOMEM do, and to end would end the registration
    }
    if (heard[process].revents) ::_exit(0);
    if (heard[token].revents && was_released(task.token.get())) {
      released = true;
      task.token.reset();
    }
    if (!heard[ready].revents || !hear(task, released, process_end.get(), publish)) continue;
    task.ready.reset();
    task.forward.reset();
    sys::close(STDERR_FILENO);
    if (task.keep >= 0) sys::close(std::exchange(task.keep, -1));
  }
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
  auto process_end = process_fd(::getpid());
  if (!process_end) return fail(process_end);
  pid_t const middle = sys::fork_unseen();
  if (middle < 0) return failed(doing);
  if (middle == 0) {
    sys::setsid();
    pid_t const holder = sys::fork();
    if (holder != 0) ::_exit(holder < 0 ? errno : 0);
    int kept[] = {process_end->get(), task.token.get(), task.ready.get(),
                  task.forward.get(), task.keep,        task.ready.valid() ? STDERR_FILENO : -1};
    keep_only(kept);
    sys::chdir("/");
    ::signal(SIGPIPE, SIG_IGN); // whoever waits for readiness may be gone
    hold(std::move(*process_end), std::move(task), publish);
  }
  int status = 0;
  while (sys::waitpid(middle, &status, __WALL) < 0)
    if (errno != EINTR) return failed(doing);
  if (!WIFEXITED(status) || WEXITSTATUS(status)) return failed(doing, WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD);
  return {};
}

} // namespace pm::registry
