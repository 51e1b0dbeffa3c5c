// What a wait costs, against s6's: a message sent to the exit of who waited for it; SIGKILL of a registrant to the exit
// of who waited for its end. Programs in PATH; beside s6's, each round the two one after another.

#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli/program.h"
#include "libpm/os/spawn.h"
#include "libpm/os/sys.h"

namespace {

using namespace pm;

[[noreturn]] void give_up(char const *what) noexcept {
  die(exits::system, "unable to ", what, ": ", strerror(errno));
}

pid_t run(char const *const *argv, int out) noexcept {
  auto const child = Spawner().start(argv, environ, {{out, 1}});
  if (!child) give_up(argv[0]);
  return *child;
}

void expect_success(pid_t child, char const *what) noexcept {
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

/** Lets who has just begun to listen go to sleep: what it does before that is not what is measured. */
void settle() noexcept {
  struct timespec const t = {0, 3'000'000};
  ::nanosleep(&t, nullptr);
}

struct Bench {
  Fd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};

  double message(char const *fifodir, char const *const *waiter, char const *const *notifier) noexcept {
    Arrivals arrivals(fifodir);
    pid_t const waiting = run(waiter, null.get());
    arrivals.one();
    settle();
    double const start = bench::now_ns();
    pid_t const sending = run(notifier, null.get());
    expect_success(waiting, waiter[0]);
    double const ns = bench::now_ns() - start;
    expect_success(sending, notifier[0]);
    return ns;
  }

  double death(char const *const *registrant, char const *fifodir, char const *const *waiter) noexcept {
    int ready[2];
    if (::pipe2(ready, O_CLOEXEC) < 0) give_up("make a pipe");
    pid_t const server = run(registrant, ready[1]);
    ::close(ready[1]);
    char byte;
    if (::read(ready[0], &byte, 1) != 1) die(exits::no, "pm-reg did not register");
    ::close(ready[0]);
    Arrivals arrivals(fifodir);
    pid_t const waiting = run(waiter, null.get());
    arrivals.one();
    settle();
    double const start = bench::now_ns();
    ::kill(server, SIGKILL);
    expect_success(waiting, waiter[0]);
    double const ns = bench::now_ns() - start;
    ::waitpid(server, nullptr, 0);
    return ns;
  }
};

} // namespace

int main() {
  PROG = "bench-events";
  char place[] = "/dev/shm/pm-bench.XXXXXX";
  if (!::mkdtemp(place) || ::chdir(place) < 0 || ::mkdir("fifodir", 0700) < 0) give_up("make a directory");
  Bench bench;
  char const *const make[] = {"pm-mkregistry", "registry", nullptr};
  expect_success(run(make, bench.null.get()), "pm-mkregistry");
  char const *const held[] = {"pm-reg", "-r", "registry", "-N", "1", "held", "none", nullptr};
  // A second registration of the service, another's for who waits, so that its fifodir stays from round to round.
  int first[2];
  if (::pipe2(first, O_CLOEXEC) < 0) give_up("make a pipe");
  pid_t const holder = run(held, first[1]);
  char byte;
  if (::read(first[0], &byte, 1) != 1) die(exits::no, "pm-reg did not register");

  char const *const pm_wait[] = {"pm-wait", "-f", "fifodir", "x", nullptr};
  char const *const pm_notify[] = {"pm-notify", "fifodir", "x", nullptr};
  char const *const s6_wait[] = {"s6-ftrig-wait", "fifodir", "x", nullptr};
  char const *const s6_notify[] = {"s6-ftrig-notify", "fifodir", "x", nullptr};
  auto const ours = [&]() noexcept { return bench.message("fifodir", pm_wait, pm_notify); };
  auto const theirs = [&]() noexcept { return bench.message("fifodir", s6_wait, s6_notify); };
  auto const messages = bench::compare(ours, theirs);
  char detail[120];
  snprintf(detail, sizeof detail, "us: %.0f, %.0f", messages.ours / 1000, messages.theirs / 1000);
  bench::report("pm-notify to pm-wait's exit / s6-ftrig-notify to s6-ftrig-wait's", messages.ratio, 1, "times", detail);

  char const *const registrant[] = {"pm-reg", "-r", "registry", "-V", "7", "-N", "1", "held", "none", nullptr};
  char const *const down[] = {"pm-wait", "-r", "registry", "-V", "7", "down", "held", nullptr};
  auto const killed = [&]() noexcept { return bench.death(registrant, "registry/service/held/event", down); };
  auto const deaths = bench::compare(killed, theirs);
  snprintf(detail, sizeof detail, "us: %.0f, %.0f", deaths.ours / 1000, deaths.theirs / 1000);
  bench::report("SIGKILL to `pm-wait down`'s exit / the same of s6's", deaths.ratio, 1, "times", detail);

  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  ::chdir("/");
  ::rm_rf(place);
  return bench::all_within ? 0 : 1;
}
