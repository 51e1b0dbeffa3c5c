/** Programs that a benchmark starts, and what waits for an event. */
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench.h"
#include "cli/program.h"
#include "libpm/os/spawn.h"
#include "libpm/os/sys.h"

namespace bench {

using namespace pm;

[[noreturn]] inline void give_up(char const *what) noexcept {
  die(exits::system, "unable to ", what, ": ", strerror(errno));
}

inline pid_t run(char const *const *argv, int out) noexcept {
  auto const child = Spawner().start(argv, environ, {{out, 1}});
  if (!child) give_up(argv[0]);
  return *child;
}

inline void expect_success(pid_t child, char const *what) noexcept {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status)) die(exits::no, what, " did not exit with 0");
}

/** Sees that a listener's FIFO got its name in a fifodir. */
class Arrivals {
 public:
  explicit Arrivals(char const *fifodir) noexcept : fd_(::inotify_init1(IN_CLOEXEC)) {
    if (!fd_.valid() || ::inotify_add_watch(fd_.get(), fifodir, IN_MOVED_TO) < 0) give_up("watch a fifodir");
  }
  void one() noexcept {
    alignas(8) char event[4096];
    if (::read(fd_.get(), event, sizeof event) <= 0) give_up("see a listener come");
  }

 private:
  Fd fd_;
};

/** Lets a process that has just begun to listen go to sleep: what it does before that is not measured. */
inline void settle() noexcept {
  struct timespec const t = {0, 3'000'000};
  ::nanosleep(&t, nullptr);
}

/** Starts a program that writes to the descriptor 1 when it is ready, and returns then. */
inline pid_t run_until_ready(char const *const *argv) noexcept {
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) < 0) give_up("make a pipe");
  pid_t const program = run(argv, ready[1]);
  ::close(ready[1]);
  char byte;
  if (::read(ready[0], &byte, 1) != 1) die(exits::no, argv[0], " did not become ready");
  ::close(ready[0]);
  return program;
}

/** The ns from `act` to the exit of the waiter, which begins to listen in `fifodir`. */
inline double until_exit(char const *const *waiter, char const *fifodir, int null, Callback<void()> act) noexcept {
  Arrivals arrivals(fifodir);
  pid_t const waiting = run(waiter, null);
  arrivals.one();
  settle();
  double const start = now_ns();
  act();
  expect_success(waiting, waiter[0]);
  return now_ns() - start;
}

} // namespace bench
