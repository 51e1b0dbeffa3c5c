#include "cli/holder.h"

#include <errno.h>
#include <unistd.h>
#include <algorithm>
#include <utility>
#include "cli/left_behind.h"
#include "libpm/os/stream.h"

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

} // namespace

bool was_released(int token) noexcept {
  char page[4096];
  (void)!sys::read(token, page, sizeof page);
  struct stat st;
  return sys::fstat(token, &st) == 0 && st.st_nlink == 0;
}

Done start_holder(HolderTask task, Callback<bool(int)> publish) noexcept {
  int const kept[] = {task.process.get(), task.token.get(), task.ready.get(),
                      task.forward.get(), task.keep,        task.ready.valid() ? STDERR_FILENO : -1};
  return leave_behind({"pm-holder", task.pid, task.arguments, "start the token's holder"}, kept,
                      [&]() noexcept { hold(std::move(task), publish); });
}

} // namespace pm::registry
