// What a wait costs, against s6's: a message sent to the exit of who waited for it; SIGKILL of a registrant to the exit
// of who waited for its end. Programs in PATH; beside s6's, each round the two one after another.

#include "waiters.h"

using namespace pm;
using bench::expect_success;
using bench::give_up;
using bench::run;

namespace {

struct Bench {
  Fd null{::open("/dev/null", O_RDWR | O_CLOEXEC)};

  double message(char const *fifodir, char const *const *waiter, char const *const *notifier) noexcept {
    pid_t sending = 0;
    auto const notify = [&]() noexcept { sending = bench::run(notifier, null.get()); };
    double const ns = bench::until_exit(waiter, fifodir, null.get(), notify);
    bench::expect_success(sending, notifier[0]);
    return ns;
  }

  double death(char const *const *registrant, char const *fifodir, char const *const *waiter) noexcept {
    pid_t const server = bench::run_until_ready(registrant);
    auto const end = [&]() noexcept { ::kill(server, SIGKILL); };
    double const ns = bench::until_exit(waiter, fifodir, null.get(), end);
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
  pid_t const holder = bench::run_until_ready(held);

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
