// bench-scale: what a lookup, a list and an event cost where there is much of what was not asked for: 10,000 services,
// 1,000 registrations of one, 1,000 strangers' of the very service, 1,000 who wait.

#include "scale.h"

#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include "libpm/os/spawn.h"

namespace {

using namespace bench;

constexpr int services = 10000, registrations = 1000, waiters = 1000;
constexpr uid_t stranger = 65501;

double lookups(Tree const &tree, char const *service) noexcept {
  return each(2000, [&] { look_up(tree, service); });
}

/** All of it, as pm-list has it: ns for each. */
double listing(Tree const &tree, size_t expected) noexcept {
  static LiveRegistrations found;
  found.clear();
  double const start = now_ns();
  EXPECT(list(tree, {}, found).has_value() && found.size() == expected);
  return (now_ns() - start) / static_cast<double>(expected);
}

/** Waits in a program of its own; its line comes to `out`. */
pid_t start_waiter(char const *path, int null, int out) noexcept {
  char const *const argv[] = {"pm-wait", "-r", path, "up", "awaited", nullptr};
  auto const child = Spawner().start(argv, environ, {{null, 0}, {out, 1}});
  if (!child) die_sys(child.error(), "pm-wait");
  return *child;
}

/**
 * Reads without waiting for its turn behind 2,000 processes that end: when a line comes is to be known, not when this process
 * gets to it. Only root may; as another user, what is measured has that wait in it.
 */
class OutOfTurn {
 public:
  OutOfTurn() noexcept { set(SCHED_FIFO, 1); }
  ~OutOfTurn() { set(SCHED_OTHER, 0); }

 private:
  static void set(int policy, int priority) noexcept {
    struct sched_param const wanted = {.sched_priority = priority};
    (void)::sched_setscheduler(0, policy, &wanted);
  }
};

/** From the start of one registration to the line of the last of all waiters, to the registration's end, to the end of the last waiter; ms. */
struct Awoken {
  double last_line, registered, last_end;
};

/** Registers in a process of its own when `go` has a byte; says when it is done, in ns, on `done`; is there until it is killed. */
pid_t start_registrant(Tree const &tree, int go, int done) noexcept {
  pid_t const registrant = ::fork();
  EXPECT(registrant >= 0);
  if (registrant > 0) return registrant;
  char byte;
  EXPECT(::read(go, &byte, 1) == 1);
  NewRegistrations const up = add(tree, "awaited");
  double const now = now_ns();
  EXPECT(::write(done, &now, sizeof now) == sizeof now);
  for (;;) ::pause();
}

Awoken wake_all(Tree const &tree, char const *path) noexcept {
  Fd const null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  int out[2];
  EXPECT(::pipe2(out, O_CLOEXEC) == 0);
  ::fcntl(out[0], F_SETPIPE_SZ, 1 << 20);
  // Each listens when its FIFO got its name.
  Path fifodir(path);
  fifodir << "/service/awaited/event";
  Fd const arrivals(::inotify_init1(IN_CLOEXEC));
  EXPECT(::inotify_add_watch(arrivals.get(), fifodir.c_str(), IN_MOVED_TO) >= 0);
  static pid_t all[waiters];
  for (pid_t &one : all) one = start_waiter(path, null.get(), out[1]);
  ::close(out[1]);
  for (int left = waiters; left > 0;) {
    alignas(8) char events[65536];
    ssize_t const n = ::read(arrivals.get(), events, sizeof events);
    EXPECT(n > 0);
    for (ssize_t at = 0; at < n; --left)
      at += static_cast<ssize_t>(sizeof(struct inotify_event) + reinterpret_cast<struct inotify_event *>(events + at)->len);
  }
  int go[2], done[2];
  EXPECT(::pipe2(go, O_CLOEXEC) == 0 && ::pipe2(done, O_CLOEXEC) == 0);
  pid_t const registrant = start_registrant(tree, go[0], done[1]);
  Awoken awoken = {};
  double start, registered;
  {
    OutOfTurn const reading;
    start = now_ns();
    EXPECT(::write(go[1], "", 1) == 1);
    int lines = 0;
    char text[65536];
    while (lines < waiters) {
      ssize_t const n = ::read(out[0], text, sizeof text);
      EXPECT(n > 0);
      lines += static_cast<int>(std::count(text, text + n, '\n'));
    }
    awoken.last_line = (now_ns() - start) / 1e6;
  }
  for (pid_t const one : all) {
    int status = 0;
    EXPECT(::waitpid(one, &status, 0) == one && status == 0);
  }
  awoken.last_end = (now_ns() - start) / 1e6;
  EXPECT(::read(done[0], &registered, sizeof registered) == sizeof registered);
  awoken.registered = (registered - start) / 1e6;
  ::kill(registrant, SIGKILL);
  EXPECT(::waitpid(registrant, nullptr, 0) == registrant);
  for (int const fd : {go[0], go[1], done[0], done[1]}) ::close(fd);
  ::close(out[0]);
  return awoken;
}

} // namespace

int main() {
  PROG = "bench-scale";
  if (!raise_descriptors(services + 2 * registrations + 1000)) return 1;

  Place const small_place, large_place;
  Tree const small = open_place(small_place), large = open_place(large_place);
  static NewRegistrations held[services + 2 * registrations];
  int count = 0;
  NewRegistrations const alone = add(small, "target"), among = add(large, "target");
  char name[32];
  for (int i = 0; i < services; ++i) {
    snprintf(name, sizeof name, "other-%d", i);
    held[count++] = add(large, name);
  }
  for (int i = 0; i < registrations; ++i) held[count++] = add(large, "crowded");
  auto const crowd = compare([&] { return lookups(large, "target"); }, [&] { return lookups(small, "target"); });
  report("lookup among 10,000 services and 1,000 registrations of one / alone", crowd.ratio, 1.25, "times");

  // Of the very service, by somebody whom the one who asks does not believe.
  Place const quiet_place;
  Tree const quiet = open_place(quiet_place);
  NewRegistrations const mine = add(quiet, "target");
  Place const strange_place;
  Tree const strange = open_place(strange_place);
  NewRegistrations const also_mine = add(strange, "target");
  for (int i = 0; i < registrations; ++i) held[count++] = add(strange, "target", stranger);
  auto const believing = compare([&] { return lookups(strange, "target"); }, [&] { return lookups(quiet, "target"); });
  report("lookup of a service with 1,000 registrations of strangers / with none", believing.ratio, 1.25, "times");

  constexpr int few = 100;
  Place const few_place;
  Tree const some = open_place(few_place);
  static NewRegistrations some_held[few];
  for (int i = 0; i < few; ++i) {
    snprintf(name, sizeof name, "other-%d", i);
    some_held[i] = add(some, name);
  }
  auto const lists = compare([&] { return listing(large, services + registrations + 1); },
                             [&] { return each(1, [&] { (void)listing(some, few); }) / few; });
  char detail[120];
  snprintf(detail, sizeof detail, "us: %.1f, %.1f", lists.ours / 1000, lists.theirs / 1000);
  report("list of everything, for each of 11,001 / for each of 100", lists.ratio, 0, "times", detail);

  Place const awaited_place;
  Tree const awaited = open_place(awaited_place);
  { NewRegistrations const before = add(awaited, "awaited"); }
  constexpr int times = 11;
  double lines[times], registered[times], ends[times];
  for (int i = 0; i < times; ++i) {
    auto const awoken = wake_all(awaited, awaited_place.path());
    lines[i] = awoken.last_line;
    registered[i] = awoken.registered;
    ends[i] = awoken.last_end;
  }
  for (double *const all : {lines, registered, ends}) std::sort(all, all + times);
  report("one registration to the line of the last of 1,000 pm-wait", lines[times / 2], 100, "ms");
  report("  to the end of the registration, which has its turn among them", registered[times / 2], 0, "ms");
  report("  to the end of the last", ends[times / 2], 0, "ms");
  return all_within ? 0 : 1;
}
