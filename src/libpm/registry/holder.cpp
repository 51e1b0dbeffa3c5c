#include <pm/registry/holder.h>

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/base/process.h>
#include <pm/base/skalibs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include <span>
#include <utility>

namespace pm::registry {

namespace {

/** Closes every descriptor but the given ones; -1 among them is none. */
void keep_only(std::span<int> kept) noexcept {
  std::sort(kept.begin(), kept.end());
  unsigned first = 0;
  bool ranges = true;
  for (int const fd : kept) {
    if (fd < 0) continue;
    unsigned const next = static_cast<unsigned>(fd);
    if (next > first) ranges = ranges && sys::close_range(first, next - 1, 0) == 0;
    first = next + 1;
  }
  if (ranges && sys::close_range(first, ~0U, 0) == 0) return;

  // Before Linux 5.9 there is no close_range: what /proc lists is closed one by one.
  auto const opened = open_directory(AT_FDCWD, "/proc/self/fd");
  if (!opened) return;
  Entries entries(opened->get());
  for (auto name = entries.next(); name && *name; name = entries.next()) {
    auto const fd = number<int>(*name);
    if (fd && *fd != opened->get() && std::find(kept.begin(), kept.end(), *fd) == kept.end()) sys::close(*fd);
  }
}

enum Watched { process, token, ready };

[[noreturn]] void hold(struct pollfd (&fds)[3], HolderTask &task, Callback<void()> publish) noexcept {
  for (;;) {
    if (fds[token].fd < 0 && fds[ready].fd < 0) ::_exit(0); // published, and nothing to hold
    if (sys::poll(fds, 3, -1) < 0) continue;  // EINTR or ENOMEM: both pass, and to end would end the registration
    if (fds[process].revents) ::_exit(0);
    if (fds[token].revents && was_released(fds[token].fd)) ::_exit(0);
    if (!fds[ready].revents) continue;

    char buffer[256];
    ssize_t const n = sys::read(fds[ready].fd, buffer, sizeof buffer);
    if (n < 0) continue;
    bool const end = n == 0, newline = std::find(buffer, buffer + n, '\n') != buffer + n;
    if (task.newline ? newline : end) {
      publish();
      if (task.forward.valid()) (void)!sys::write(task.forward.get(), "\n", 1);
    } else if (!end && task.newline) {
      continue;
    }
    // Ready, or never to be: an end without a newline, a byte that says exec failed.
    fds[ready].fd = -1;
    task.ready.reset();
    task.forward.reset();
    if (task.keep >= 0) sys::close(std::exchange(task.keep, -1));
  }
}

} // namespace

bool was_released(int token) noexcept {
  char buffer[256];
  while (sys::read(token, buffer, sizeof buffer) == static_cast<ssize_t>(sizeof buffer)) {
  }
  struct stat st;
  return sys::fstat(token, &st) == 0 && st.st_nlink == 0;
}

Done start_holder(HolderTask task, Callback<void()> publish) noexcept {
  constexpr char const *doing = "start the token's holder";
  auto process_end = process_fd(::getpid());
  if (!process_end) return fail(process_end);
  pid_t const middle = sys::fork_unseen();
  if (middle < 0) return failed(doing);
  if (middle == 0) {
    sys::setsid();
    pid_t const holder = sys::fork();
    if (holder != 0) ::_exit(holder < 0 ? errno : 0);
    int kept[] = {process_end->get(), task.token.get(), task.ready.get(), task.forward.get(), task.keep};
    keep_only(kept);
    sys::chdir("/");
    ::sig_ignore(SIGPIPE); // whoever waits for readiness may be gone
    struct pollfd fds[3] = {{process_end->get(), POLLIN, 0}, {task.token.get(), POLLIN, 0}, {task.ready.get(), POLLIN, 0}};
    hold(fds, task, publish);
  }
  int status = 0;
  while (sys::waitpid(middle, &status, __WALL) < 0)
    if (errno != EINTR) return failed(doing);
  if (!WIFEXITED(status) || WEXITSTATUS(status)) return failed(doing, WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD);
  return {};
}

} // namespace pm::registry
