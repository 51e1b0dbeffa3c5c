// bench-scale: what a lookup, a list and an event cost where there is much of what was not asked for: 10,000 services,
// 1,000 registrations of one, 1,000 strangers' of the very service, 20,000 rows that were set by RPC, 1,000 who wait.

#include "scale.h"

#include <sched.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include "libpm/os/spawn.h"
#include "libpm/rpc/registry_rows.h"

namespace {

using namespace bench;

constexpr int services = 10000, registrations = 1000, waiters = 1000, few_services = 10;
constexpr uint32_t rows = 20000, first_program = 0x20000000;
constexpr uid_t owner = 65500, first_stranger = 100000;

/** A lookup does not wait, so its CPU time is what it takes, and what else runs on the machine is not measured. */
double lookups(Tree const &tree, char const *service) noexcept {
  constexpr int count = 2000;
  double const before = now_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < count; ++i) look_up(tree, service);
  return (now_ns(CLOCK_PROCESS_CPUTIME_ID) - before) / count;
}

/** Of one instance by root, among others / where it is alone. */
void report_lookups(char const *what, Tree const &among, Tree const &alone) noexcept {
  auto const lookup = compare([&] { return lookups(among, "target"); }, [&] { return lookups(alone, "target"); });
  char detail[64];
  snprintf(detail, sizeof detail, "ns: %.0f, %.0f", lookup.ours, lookup.theirs);
  report(what, lookup.ratio, 1.1, "times", detail);
}

/** Root's registration, and one of each of 1,000 users whom root does not trust, in a registry of this process's effective user. */
NewRegistrations add_strangers(Tree const &tree, NewRegistrations *held) noexcept {
  auto mine = add(tree, "target", 0);
  for (uid_t i = 0; i < registrations; ++i) held[i] = add(tree, "target", first_stranger + i);
  return mine;
}

/** The bare rows: pm-rpcbindd answers each SET with this call. */
void set_rows(rpc::RegistryRows &set) noexcept {
  EXPECT(set.open().has_value());
  auto const address = value_of(Address::parse("udp:0.0.0.0:2049"));
  for (uint32_t i = 0; i < rows; ++i) EXPECT(set.set({.uid = 0}, first_program + i, 1, address) == true);
  set.settle();
}

void add_services(Tree const &tree, NewRegistrations *held, int count) noexcept {
  char name[32];
  for (int i = 0; i < count; ++i) {
    snprintf(name, sizeof name, "other-%d", i);
    held[i] = add(tree, name);
  }
}

/** A pm-watch of a whole registry. */
class Watcher {
 public:
  Watcher(Place const &place, Tree const &tree) noexcept : tree_(&tree) {
    int out[2];
    EXPECT(::pipe2(out, O_CLOEXEC) == 0);
    char const *const argv[] = {"pm-watch", "-r", place.path(), "-E", "-o", "service", nullptr};
    auto const child = Spawner().start(argv, environ, {{out[1], 1}});
    if (!child) die_sys(child.error(), "pm-watch");
    pid_ = *child;
    ::close(out[1]);
    lines_.reset(out[0]);
    expect("end\n");
    EXPECT(::clock_getcpuclockid(pid_, &clock_) == 0);
  }
  Watcher(Watcher const &) = delete;
  Watcher &operator=(Watcher const &) = delete;
  ~Watcher() {
    ::kill(pid_, SIGTERM);
    EXPECT(::waitpid(pid_, nullptr, 0) == pid_);
  }

  /** Its CPU time for an event, ns: registrations come and are removed, each after its line of the one before. */
  double event() noexcept {
    constexpr int count = 50;
    double const before = now_ns(clock_);
    for (int i = 0; i < count; ++i) {
      NewRegistrations const made = add(*tree_, "event");
      expect("up\tevent\n");
      {
        auto transaction = value_of(Transaction::begin(*tree_, time_limit(10000)));
        EXPECT(remove(transaction, made.tickets[0]) == true);
      }
      expect("down\tevent\n");
    }
    return (now_ns(clock_) - before) / (2 * count);
  }

 private:
  void expect(std::string_view line) noexcept {
    char text[64];
    EXPECT(std::string_view(text, static_cast<size_t>(::read(lines_.get(), text, sizeof text))) == line);
  }
  Tree const *tree_;
  pid_t pid_;
  Fd lines_;
  clockid_t clock_;
};

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
  if (!raise_descriptors(services + 4 * registrations + 1000)) return 1;

  Place const small_place, large_place;
  Tree const small = open_place(small_place), large = open_place(large_place);
  static NewRegistrations held[services], crowd[registrations], strangers[2 * registrations], ten[few_services];
  NewRegistrations const alone = add(small, "target"), among = add(large, "target");
  add_services(large, held, services);
  {
    Place const ten_place;
    Tree const some = open_place(ten_place);
    add_services(some, ten, few_services);
    Watcher many(large_place, large), few(ten_place, some);
    auto const events = compare([&] { return many.event(); }, [&] { return few.event(); });
    char detail[64];
    snprintf(detail, sizeof detail, "us: %.1f, %.1f", events.ours / 1000, events.theirs / 1000);
    report("pm-watch's CPU time for an event, with 10,000 other services / with 10", events.ratio, 1.2, "times", detail);
  }
  report_lookups("lookup with 10,000 other services / alone", large, small);
  for (auto &one : crowd) one = add(large, "crowded");
  report_lookups("  and 1,000 registrations of another / alone", large, small);

  Place const strange_place;
  Tree const strange = open_place(strange_place);
  NewRegistrations const mine = add_strangers(strange, strangers);
  report_lookups("lookup with 1,000 registrations of the service by 1,000 strangers / alone", strange, small);
  Place const owned_place, owned_alone_place;
  if (::chown(owned_place.path(), owner, owner) == 0 && ::chown(owned_alone_place.path(), owner, owner) == 0 &&
      become_effective(owner)) {
    Tree const owned = open_place(owned_place), owned_alone = open_place(owned_alone_place);
    NewRegistrations const roots = add_strangers(owned, strangers + registrations), lone = add(owned_alone, "target", 0);
    EXPECT(::seteuid(0) == 0);
    report_lookups("  in a registry that is not root's / alone", owned, owned_alone);
  } else {
    printf("# not root: a registry that is not root's is not measured\n");
  }

  Place const rows_place;
  Tree const with_rows = open_place(rows_place);
  rpc::RegistryRows set(with_rows, {});
  NewRegistrations const beside = add(with_rows, "target");
  set_rows(set);
  report_lookups("lookup with 20,000 rows that were set by RPC / alone", with_rows, small);

  constexpr int few = 100;
  Place const few_place;
  Tree const some = open_place(few_place);
  static NewRegistrations some_held[few];
  add_services(some, some_held, few);
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
