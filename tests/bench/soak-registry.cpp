// soak-registry [KILLS [SEED]]: programs register, wait and watch in a registry of its own. SIGKILL hits a random one of all the
// processes at a random moment, KILLS times. After each batch of kills the registry comes to rest and is compared with a model: nothing
// is lost, and nothing dead is left.

#include "bench.h"
#include "soak.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <linux/magic.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <string_view>

namespace {

using namespace soak;
using bench::now_ns;

constexpr double ms = 1e6, patience = 20e3 * ms;
constexpr int slots = 24, batch = 20, sweeps_every = 10, names_most = 3, watches = 2, too_many_differences = 20;
/** Two users that nothing else runs as. Only root can become them; for others, both are the same user. */
constexpr uid_t owner = 65503, second_user = 65504;
/** Descriptors of the children: readiness, and the pipe on which PROG says that it runs. */
constexpr int ready_fd = 8, running_fd = 9;
constexpr char program_name[] = "program";

enum Kind { program, starting, held, holder, regd, dereg, reapd, watching, waiting, listend, super, kinds };
constexpr struct {
  char const *name;
  unsigned weight;
} about[kinds] = {{"PROG", 24},
                  {"pm-reg before PROG", 16},
                  {"pm-reg without PROG", 6},
                  {"pm-holder", 18},
                  {"pm-regd", 10},
                  {"pm-dereg", 8},
                  {"pm-reapd", 4},
                  {"pm-watch", 4},
                  {"pm-wait", 5},
                  {"pm-listend", 3},
                  {"pm-super", 3}};
unsigned long kills[kinds];

char directory[] = "/dev/shm/pm-soak.XXXXXX", registry[64];
bool const is_root = ::geteuid() == 0;
int child_ends = -1, running = -1, running_write = -1, differences;
/** How often the service has lost a process, so that one of its clients may fail. */
unsigned disturbances;

__attribute__((format(printf, 1, 2))) void differ(char const *format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  printf("differs: ");
  vprintf(format, arguments);
  va_end(arguments);
  printf("\n");
  fflush(stdout);
  if (++differences < too_many_differences) return;
  printf("what the programs said: %s/errors\n", directory);
  ::exit(1);
}

struct Command {
  char text[1024], *words[40] = {};
  size_t used = 0;
  int count = 0;
  __attribute__((format(printf, 2, 3))) Command &add(char const *format, ...) noexcept {
    va_list arguments;
    va_start(arguments, format);
    words[count++] = text + used;
    used += static_cast<size_t>(vsnprintf(text + used, sizeof text - used, format, arguments)) + 1;
    va_end(arguments);
    return *this;
  }
};

struct Child {
  pid_t pid = 0;
  bool ended = false, killed = false, by_service = false;
  int status = 0;
  unsigned disturbances = 0;
  [[nodiscard]] bool lives() const noexcept { return pid && !ended && !killed; }
  /** Whether a process of the service was killed meanwhile, which its clients report with 111. */
  [[nodiscard]] bool may_fail() const noexcept { return by_service && disturbances != ::disturbances; }
  [[nodiscard]] bool exited(int code) const noexcept { return ended && WIFEXITED(status) && WEXITSTATUS(status) == code; }
};
Child *children[512];

struct Daemon {
  Kind kind;
  Child child = {};
  int ready = -1; /**< the reading end of its readiness; -1: it is ready */
  unsigned starts = 0, refused = 0;
} daemons[] = {{super}, {reapd}};

struct WatchProcess {
  Child child = {};
  int fd = -1;
  char line[4096];
  size_t used = 0;
  bool begun = false; /**< it has printed `end` */
} all_watches[watches];

struct Registration {
  bool used = false;
  Child child = {}; /**< pm-reg, then PROG */
  int slot = 0, names = 1, outer = -1, rests_dead = 0;
  unsigned version = 0;
  bool second = false, with_newline = false, is_public = false, is_held = false, exclusive = false;
  bool began = false;  /**< PROG runs, or pm-reg without PROG is ready */
  bool heard = false;  /**< the newline came while PROG lived: it is published */
  bool listed = false; /**< seen at rest */
  bool holder_killed = false;
  bool removing = false; /**< a pm-dereg runs */
  pid_t holder = 0;
  bool removed[names_most] = {}, unsure[names_most] = {}; /**< by pm-dereg; unsure: that was killed, or its service was */
  struct Seen {
    unsigned up = 0, down = 0;
    bool exempt = false; /**< it ended before pm-watch was started */
  } seen[watches][names_most];

  [[nodiscard]] bool lives() const noexcept { return used && child.lives() && began && !holder_killed; }
  [[nodiscard]] bool is_there(int name) const noexcept { return lives() && !removed[name]; }
  [[nodiscard]] bool any_left() const noexcept {
    for (int i = 0; i < names; ++i)
      if (!removed[i]) return lives();
    return false;
  }
  /** Whether it is known what pm-dereg has removed. */
  [[nodiscard]] bool is_sure() const noexcept {
    for (bool const any : unsure)
      if (any) return false;
    return true;
  }
  /** Whether its publisher has come to its end: the event has been sent, too. */
  [[nodiscard]] bool was_published() const noexcept {
    return listed || heard || (began && !is_held && !with_newline && !is_public);
  }
  void name(char *text, size_t size, int i) const noexcept { snprintf(text, size, "%c%d", "abc"[i], slot % 8); }
  void hear() noexcept {
    char byte;
    if (outer < 0 || heard || ::read(outer, &byte, 1) != 1) return;
    heard = true;
    began = began || is_held;
  }
} all[256], *in_slot[slots];

struct Waiter {
  Child child = {};
  Registration *target = nullptr;
  bool for_up = false, listend_killed = false;
  bool listens = false, saw_target = false; /**< its PROG has run; while the target was there */
} waiters[32];

struct Job {
  Child child = {};
  Registration *target = nullptr; /**< of pm-dereg; null: pm-list, which reads the tree at this moment */
  int name = 0;
} jobs[64];

struct As {
  bool second = false, asks = false;
  int out = 0, ready = -1, running = -1;
};

Daemon &daemon_of(Kind kind) noexcept {
  return daemons[kind == super ? 0 : 1];
}

void start(Child &child, Command const &command, As as) noexcept {
  child = {};
  child.by_service = as.asks;
  child.disturbances = daemon_of(super).ready < 0 ? disturbances : disturbances - 1;
  if ((child.pid = ::fork()) < 0) give_up("fork");
  if (child.pid == 0) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(as.out, 1); // 0 is /dev/null
    if (as.ready >= 0) ::dup2(as.ready, ready_fd);
    if (as.running >= 0) ::dup2(as.running, running_fd);
    uid_t const uid = as.second ? second_user : owner;
    if (is_root && (::setgroups(0, nullptr) < 0 || ::setgid(uid) < 0 || ::setuid(uid) < 0)) give_up("become another user");
    // After setuid, which clears it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execvp(command.words[0], command.words);
    give_up(command.words[0]);
  }
  for (auto &entry : children)
    if (!entry) {
      entry = &child;
      return;
    }
  give_up("too many children");
}

/** A client of the registry. The second user's asks the service. */
Command client(char const *name, bool second) noexcept {
  Command command;
  command.add("%s", name);
  if (second && !is_root) command.add("-S");
  return command;
}

void make_pipe(int (&fds)[2]) noexcept {
  if (::pipe2(fds, O_CLOEXEC) < 0) give_up("make a pipe");
  ::fcntl(fds[0], F_SETFL, O_NONBLOCK);
}

// --- What happens ---

void start_daemon(Daemon &daemon) noexcept {
  int fds[2];
  make_pipe(fds);
  Command command;
  if (daemon.kind == super)
    command.add("pm-super").add("-N").add("%d", ready_fd).add("-c").add("100").add("%s/socket", registry).add("pm-regd");
  else command.add("pm-reapd").add("-N").add("%d", ready_fd);
  start(daemon.child, command, {.ready = fds[1]});
  ::close(fds[1]);
  if (daemon.ready >= 0) ::close(daemon.ready);
  daemon.ready = fds[0];
  ++daemon.starts;
}

bool ending;
void note_end(pid_t pid, int status) noexcept {
  for (auto &entry : children) {
    if (!entry || entry->pid != pid) continue;
    entry->ended = true;
    entry->status = status;
    entry = nullptr;
    for (auto &daemon : daemons) {
      if (daemon.child.pid != pid || ending) continue;
      // A child that a killed pm-super had not executed yet has its listening socket for a moment.
      bool const is_in_use = daemon.kind == super && daemon.ready >= 0 && daemon.starts > 1 && daemon.child.exited(111);
      daemon.refused += is_in_use;
      if (!daemon.child.killed && !is_in_use)
        differ("%s ended by itself: %x", about[daemon.kind].name, static_cast<unsigned>(status));
      start_daemon(daemon);
    }
    return;
  }
  for (auto &one : all)
    if (one.holder == pid) one.holder = 0;
}

void read_line(WatchProcess &watch, std::string_view line) noexcept {
  int const number = static_cast<int>(&watch - all_watches);
  if (line == "end") {
    watch.begun = true;
    return;
  }
  char word[16], service[16];
  unsigned version;
  int pid;
  if (sscanf(line.data(), "%15s %15s %u %d", word, service, &version, &pid) != 4)
    return differ("pm-watch %d printed: %s", number, line.data());
  for (auto &one : all) {
    if (!one.used || one.version != version || one.child.pid != pid) continue;
    auto &seen = one.seen[number][strchr("abc", service[0]) - "abc"];
    ++(word[0] == 'u' ? seen.up : seen.down);
    if (seen.up > 1 || seen.down > seen.up) differ("pm-watch %d printed once more: %s", number, line.data());
    return;
  }
  differ("pm-watch %d printed of an unknown registration: %s", number, line.data());
}

void read_watch(WatchProcess &watch) noexcept {
  ssize_t n;
  while ((n = ::read(watch.fd, watch.line + watch.used, sizeof watch.line - watch.used)) > 0) {
    watch.used += static_cast<size_t>(n);
    char *begin = watch.line, *const last = watch.line + watch.used;
    while (char *const end = static_cast<char *>(memchr(begin, '\n', static_cast<size_t>(last - begin)))) {
      *end = 0;
      read_line(watch, begin);
      begin = end + 1;
    }
    watch.used = static_cast<size_t>(last - begin);
    memmove(watch.line, begin, watch.used);
  }
}

/** Waits at most `ns` for an event, or for `extra` to be readable, and handles what has happened. */
void take_events(double ns, int extra = -1) noexcept {
  struct pollfd fds[3 + watches + 2 + slots] = {{child_ends, POLLIN, 0}, {running, POLLIN, 0}, {extra, POLLIN, 0}};
  size_t count = 3;
  for (auto const &watch : all_watches) fds[count++] = {watch.child.lives() ? watch.fd : -1, POLLIN, 0};
  for (auto const &daemon : daemons) fds[count++] = {daemon.ready, POLLIN, 0};
  for (auto const *const one : in_slot) fds[count++] = {one && one->child.lives() && !one->heard ? one->outer : -1, POLLIN, 0};
  // A pipe whose writers have ended is ready for good: only what is awaited yet is polled.
  for (auto const *const one : in_slot)
    if (one && one->holder_killed)
      for (auto &entry : fds)
        if (entry.fd == one->outer) entry.fd = -1;
  struct timespec const time = {static_cast<time_t>(ns / 1e9), static_cast<long>(ns) % 1000000000};
  ::ppoll(fds, count, &time, nullptr);
  for (auto *const one : in_slot)
    if (one && one->child.lives()) one->hear();
  pid_t pids[64];
  ssize_t n;
  while ((n = ::read(running, pids, sizeof pids)) > 0)
    for (auto const pid : pids) {
      if ((n -= static_cast<ssize_t>(sizeof pid)) < 0) break;
      for (auto &one : all)
        if (one.used && one.child.pid == pid) one.began = true;
      for (auto &waiter : waiters)
        if (waiter.child.pid == pid) waiter.listens = true, waiter.saw_target = waiter.target->is_there(0);
    }
  for (auto &watch : all_watches)
    if (watch.fd >= 0) read_watch(watch);
  for (auto &daemon : daemons) {
    char byte;
    if (daemon.ready < 0 || ::read(daemon.ready, &byte, 1) != 1) continue;
    ::close(daemon.ready);
    daemon.ready = -1;
    // A client that was refused while the service was down may have read the count after its death.
    if (daemon.kind == super) ++disturbances;
  }
  struct signalfd_siginfo signal;
  while (::read(child_ends, &signal, sizeof signal) > 0) {
  }
  int status;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG | __WALL)) > 0;) note_end(pid, status);
}

/** Lets the world go on for a random time below `most`. */
void pass(double most) noexcept {
  double const end = now_ns() + random_below(1000) * most / 1000;
  for (double now; (now = now_ns()) < end;) take_events(end - now);
}

// --- What is done ---

unsigned serial = 10000;

void wait_for(Registration &target, bool for_up) noexcept {
  for (auto &waiter : waiters) {
    if (waiter.child.pid) continue;
    bool const second = random_below(2);
    waiter = {.child = {}, .target = &target, .for_up = for_up};
    char name[16];
    target.name(name, sizeof name, 0);
    start(waiter.child,
          client("pm-wait", second)
              .add("-a")
              .add("-V")
              .add("%u", target.version)
              .add(for_up ? "up" : "down")
              .add("%s", name)
              .add("%s/%s", directory, program_name)
              .add("listening"),
          {.second = second, .asks = second, .running = running_write});
    return;
  }
}

Registration *register_in(int slot, bool by_service = false) noexcept {
  Registration *free = nullptr;
  for (auto &one : all)
    if (!one.used) free = &one;
  if (!free) give_up("too many registrations");
  Registration &one = *free = {};
  in_slot[slot] = &one;
  one.used = true;
  one.slot = slot;
  one.exclusive = slot % 4 == 3;
  one.second = one.exclusive ? slot % 8 == 7 : by_service || random_below(2);
  one.version = one.exclusive ? static_cast<unsigned>(1 + slot) : ++serial;
  one.names = random_below(3) ? 1 : names_most;
  one.is_held = random_below(6) == 0;
  one.with_newline = one.is_held || random_below(4) == 0;
  one.is_public = random_below(4) == 0;
  if (random_below(3) == 0) wait_for(one, true);
  Command command = client("pm-reg", one.second);
  command.add("-V").add("%u", one.version);
  if (one.exclusive) command.add("-x");
  if (one.is_public) command.add("-p");
  if (one.with_newline) command.add("-N").add("%d", ready_fd);
  char name[16];
  for (int i = 1; i < one.names; ++i) one.name(name, sizeof name, i), command.add("-a").add("%s=none", name);
  one.name(name, sizeof name, 0);
  command.add("%s", name).add("none");
  if (!one.is_held) command.add("%s/%s", directory, program_name).add(one.with_newline ? "newline" : "none");
  int fds[2] = {-1, -1};
  if (one.with_newline) make_pipe(fds);
  start(one.child, command, {.second = one.second, .asks = one.second, .ready = fds[1], .running = running_write});
  if (fds[1] >= 0) ::close(fds[1]);
  one.outer = fds[0];
  return &one;
}

/** A random one that meets the condition; null: none does. */
template <class Array, class Condition>
auto *choose(Array &array, Condition meets) noexcept {
  decltype(&array[0]) chosen = nullptr;
  unsigned count = 0;
  for (auto &one : array)
    if (meets(one) && random_below(++count) == 0) chosen = &one;
  return chosen;
}

int free_slot() noexcept {
  // An exclusive one's process must have ended.
  auto *const slot =
      choose(in_slot, [](auto *one) noexcept { return !one || (one->exclusive ? one->child.ended : !one->child.lives()); });
  return slot ? static_cast<int>(slot - in_slot) : -1;
}

Job *start_job(Registration *target) noexcept {
  for (auto &job : jobs) {
    if (job.child.pid) continue;
    job.target = target;
    bool const second = target && target->second;
    Command command = client(target ? "pm-dereg" : "pm-list", second);
    if (target) {
      target->removing = true;
      job.name = static_cast<int>(random_below(static_cast<unsigned>(target->names)));
      char name[16];
      target->name(name, sizeof name, job.name);
      // With -P: the next exclusive one has the same version.
      command.add("-P").add("%d", target->child.pid).add("-V").add("%u", target->version).add("%s", name);
    }
    start(job.child, command, {.second = second, .asks = second});
    return &job;
  }
  give_up("too many jobs");
}

/** pm-dereg of a registration that was there at rest, and that nothing has happened to. */
Job *deregister(bool by_service = false) noexcept {
  auto *const target = choose(all, [&](Registration const &one) noexcept {
    return one.listed && one.any_left() && !one.removing && (!by_service || one.second);
  });
  return target ? start_job(target) : nullptr;
}

void act() noexcept {
  if (int const slot = free_slot(); slot >= 0 && random_below(4)) register_in(slot);
  if (random_below(6) == 0) deregister();
  if (random_below(4) == 0) start_job(nullptr);
  if (random_below(3)) return;
  if (auto *const target = choose(all, [](Registration const &one) noexcept { return one.listed && one.any_left(); }))
    wait_for(*target, false);
}

// --- Killing ---

bool kill_child(Child &child) noexcept {
  if (!child.lives()) return false;
  child.killed = true;
  ::kill(child.pid, SIGKILL);
  return true;
}

void read_proc(pid_t pid, char const *file, char *text, size_t size) noexcept {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  int const fd = ::open(path, O_RDONLY | O_CLOEXEC);
  ssize_t const n = fd < 0 ? 0 : ::read(fd, text, size - 1);
  text[n > 0 ? n : 0] = 0;
  if (fd >= 0) ::close(fd);
}

/** Kills a random child of `parent`, which may end at any moment, if that has this name. Returns whether it did. */
bool kill_grandchild(pid_t parent, char const *name = "") noexcept {
  pid_t found[64], again[64];
  int const count = find_children(parent, found, 64);
  if (count <= 0) return false;
  pid_t const chosen = found[random_below(static_cast<unsigned>(count))];
  auto const fd = static_cast<int>(::syscall(SYS_pidfd_open, chosen, 0));
  if (fd < 0) return false;
  // The number may have become another process's before the descriptor was opened.
  bool is_child = false;
  for (int i = find_children(parent, again, 64); i-- > 0;) is_child = is_child || again[i] == chosen;
  char comm[32];
  read_proc(chosen, "comm", comm, sizeof comm);
  is_child = is_child && strncmp(comm, name, strlen(name)) == 0;
  bool const done = is_child && ::syscall(SYS_pidfd_send_signal, fd, SIGKILL, nullptr, 0) == 0;
  ::close(fd);
  return done;
}

/** The process that a holder holds for; 0: it is no holder. */
pid_t held_by(pid_t pid) noexcept {
  char text[64];
  int of = 0;
  read_proc(pid, "cmdline", text, sizeof text);
  return sscanf(text, "pm-holder of %d", &of) == 1 ? of : 0;
}

Registration *registration_of(pid_t pid) noexcept {
  for (auto &one : all)
    if (one.used && one.child.pid == pid) return &one;
  return nullptr;
}

bool kill_registrant(Registration &one) noexcept {
  char comm[32];
  read_proc(one.child.pid, "comm", comm, sizeof comm);
  one.hear();
  if (!kill_child(one.child)) return false;
  ++kills[one.is_held ? held : strncmp(comm, program_name, strlen(program_name)) == 0 ? program : starting];
  return true;
}

bool kill_starting() noexcept {
  auto *one = choose(all, [](Registration const &any) noexcept { return any.child.lives() && !any.began && !any.is_held; });
  int const slot = free_slot();
  if (slot >= 0 && (!one || random_below(2))) one = register_in(slot);
  if (!one) return false;
  pass(2 * ms);
  return one->child.lives() && kill_registrant(*one);
}

bool kill_holder() noexcept {
  pid_t found[512];
  int const count = find_children(::getpid(), found, 512);
  for (int tries = 0; count > 0 && tries < 64; ++tries) {
    pid_t const pid = found[random_below(static_cast<unsigned>(count))], of = held_by(pid);
    if (!of) continue;
    if (auto *const one = registration_of(of)) {
      one->hear();
      if (one->holder_killed) continue;
      one->holder_killed = true;
      one->holder = pid;
    }
    ::kill(pid, SIGKILL);
    ++kills[holder];
    return true;
  }
  return false;
}

bool kill_regd() noexcept {
  pid_t found[64];
  pid_t const parent = daemon_of(super).child.pid;
  if (daemon_of(super).ready >= 0) return false;
  if (find_children(parent, found, 64) == 0) {
    int const slot = free_slot();
    if (slot < 0 || random_below(3) == 0) {
      if (!deregister(true)) return false;
    } else register_in(slot, true);
  }
  // It lives for a millisecond, and nothing tells when it has started: the moment is looked for.
  for (double const end = now_ns() + 5 * ms; find_children(parent, found, 64) == 0 && now_ns() < end;) take_events(0);
  double const end = now_ns() + random_below(600) * ms / 1000;
  while (now_ns() < end) take_events(0);
  // Before the kill, whose consequences may come at once.
  ++disturbances;
  if (!kill_grandchild(parent)) return false;
  ++kills[regd];
  return true;
}

bool kill_one(Kind kind) noexcept {
  switch (kind) {
    case program:
    case held: {
      auto *const one = choose(
          all, [&](Registration const &any) noexcept { return any.child.lives() && any.is_held == (kind == held) && any.began; });
      return one && kill_registrant(*one);
    }
    case starting: return kill_starting();
    case holder: return kill_holder();
    case regd: return kill_regd();
    case dereg: {
      Job *const job = deregister();
      if (!job) return false;
      job->target->unsure[job->name] = true;
      pass(1.5 * ms);
      if (!kill_child(job->child)) return false;
      break;
    }
    case waiting: {
      auto *const waiter = choose(waiters, [](Waiter const &any) noexcept { return any.child.lives(); });
      if (!waiter || !kill_child(waiter->child)) return false;
      break;
    }
    case listend: {
      auto *const waiter = choose(waiters, [](Waiter const &any) noexcept { return any.child.lives(); });
      if (!waiter || !kill_grandchild(waiter->child.pid, about[listend].name)) return false;
      waiter->listend_killed = true;
      break;
    }
    case watching: {
      auto *const watch = choose(all_watches, [](WatchProcess const &any) noexcept { return any.child.lives(); });
      if (!watch || !kill_child(watch->child)) return false;
      break;
    }
    default:
      if (kind == super) ++disturbances;
      if (!kill_child(daemon_of(kind).child)) return false;
  }
  ++kills[kind];
  return true;
}

// --- The world at rest ---

char missing[256];
int missing_end = -1; /**< a pidfd of a process whose end is awaited; -1: the end of a child, or a line */

__attribute__((format(printf, 1, 2))) bool misses(char const *format, ...) noexcept {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(missing, sizeof missing, format, arguments);
  va_end(arguments);
  return true;
}

/** Waits until nothing is missing. At the limit it says what still is. */
template <class Misses>
bool await(Misses misses_something) noexcept {
  double const end = now_ns() + patience;
  for (;;) {
    take_events(0);
    missing_end = -1;
    if (!misses_something()) return true;
    double const left = end - now_ns();
    // What happens in another process's tree of processes is polled for.
    if (left > 0) take_events(std::min(left, missing_end < 0 ? 10 * ms : left), missing_end);
    if (missing_end >= 0) ::close(missing_end);
    if (left > 0) continue;
    differ("after %g s %s", patience / 1e9, missing);
    return false;
  }
}

bool is_ours(pid_t pid) noexcept {
  for (auto const *const child : children)
    if (child && child->pid == pid) return true;
  return false;
}

bool misses_job() noexcept {
  for (auto &job : jobs) {
    if (!job.child.pid) continue;
    if (!job.child.ended) return misses("process %d, %s, lives", job.child.pid, job.target ? "pm-dereg" : "pm-list");
    auto const &child = job.child;
    bool const surely_there =
        job.target && job.target->is_there(job.name) && !job.target->unsure[job.name] && !job.target->child.killed;
    if (!job.target && !child.exited(0)) differ("pm-list, process %d: %x", child.pid, static_cast<unsigned>(child.status));
    else if (job.target && child.exited(0)) job.target->removed[job.name] = true;
    else if (job.target && !child.killed && !child.exited(1) && !(child.may_fail() && child.exited(111)))
      differ("pm-dereg, process %d: %x", child.pid, static_cast<unsigned>(child.status));
    else if (job.target && child.exited(1) && surely_there) differ("pm-dereg, process %d, found nothing", child.pid);
    else if (job.target && !child.exited(1)) job.target->unsure[job.name] = true;
    if (job.target) job.target->removing = false;
    job.child = {};
  }
  return false;
}

bool misses_end() noexcept {
  for (auto const &daemon : daemons)
    if (daemon.ready >= 0 && !ending) return misses("%s is not ready", about[daemon.kind].name);
  if (misses_job()) return true;
  for (auto const &one : all) {
    if (!one.used || one.child.ended) continue;
    if (one.child.killed) return misses("process %d, which was killed, lives", one.child.pid);
    if (!one.began) return misses("pm-reg, process %d, has not executed PROG", one.child.pid);
    if (one.with_newline && !one.heard && one.lives()) return misses("the newline of process %d is not passed on", one.child.pid);
    if (one.is_held && !one.any_left()) return misses("pm-reg, process %d, holds what was removed", one.child.pid);
  }
  pid_t found[512];
  for (int i = find_children(::getpid(), found, 512); i-- > 0;) {
    if (is_ours(found[i])) continue;
    pid_t const of = held_by(found[i]);
    auto *const one = of ? registration_of(of) : nullptr;
    if (one && one->any_left()) {
      one->holder = found[i];
      continue;
    }
    char comm[32];
    read_proc(found[i], "comm", comm, sizeof comm);
    return misses("process %d lives: %.*s of %d", found[i], static_cast<int>(strcspn(comm, "\n")), comm, of);
  }
  for (auto const &one : all)
    if (one.any_left() && one.is_sure() && !one.is_held && !one.holder) return misses("process %d has no holder", one.child.pid);
  if (!ending && find_children(daemon_of(super).child.pid, found, 512) > 0) {
    missing_end = static_cast<int>(::syscall(SYS_pidfd_open, found[0], 0));
    return misses("process %d of the service lives", found[0]);
  }
  return false;
}

/** Runs a program of the owner's to its end; its exit code. Writes what it prints into `text`; null: nothing is kept. */
int run(Command const &command, char *text = nullptr, size_t size = 0) noexcept {
  Child child;
  int fds[2];
  make_pipe(fds);
  start(child, command, {.out = fds[1]});
  ::close(fds[1]);
  bool const ended = await([&] { return !child.ended && misses("%s runs", command.words[0]); });
  ssize_t const n = text ? ::read(fds[0], text, size - 1) : 0;
  if (text) text[n > 0 ? n : 0] = 0;
  ::close(fds[0]);
  if (!ended) ::exit(1);
  return WIFEXITED(child.status) ? WEXITSTATUS(child.status) : -1;
}

void check_ends() noexcept {
  for (auto &one : all) {
    if (!one.used || !one.child.ended || one.child.killed || one.rests_dead) continue;
    if (one.child.exited(111) && one.child.may_fail() && !one.began) continue;
    bool released = one.is_held;
    for (int i = 0; i < one.names; ++i) released = released && (one.removed[i] || one.unsure[i]);
    if (!released || !one.child.exited(0))
      differ("pm-reg, process %d, version %u: %x", one.child.pid, one.version, static_cast<unsigned>(one.child.status));
  }
}

/** Returns whether a pm-dereg that was killed, or whose service was, has removed something. */
bool check_list() noexcept {
  static char text[65536];
  int const code = run(Command().add("pm-list").add("-v").add("-o").add("service,version,pid,flags"), text, sizeof text);
  if (code) differ("pm-list: exit %d", code);
  bool there[std::size(all)][names_most] = {}, interrupted = false;
  for (char *line = strtok(text, "\n"); line; line = strtok(nullptr, "\n")) {
    char service[16], flags[64] = "";
    unsigned version;
    int pid;
    if (sscanf(line, "%15s %u %d %63s", service, &version, &pid, flags) < 3) {
      differ("pm-list printed: %s", line);
      continue;
    }
    auto *const one = registration_of(pid);
    auto const name = strchr("abc", service[0]) - "abc";
    if (!one || one->version != version || !one->lives() || (one->removed[name] && !one->unsure[name]) ||
        strstr(flags, "reserved"))
      differ("pm-list printed what is dead or reserved: %s", line);
    else there[one - all][name] = true;
  }
  for (auto &one : all)
    for (int i = 0; i < one.names && one.lives(); ++i) {
      bool const is_listed = there[&one - all][i];
      if (one.unsure[i]) interrupted = interrupted || !is_listed, one.removed[i] = !is_listed;
      else if (one.is_there(i) && !is_listed)
        differ("version %u of process %d, name %c, is not found", one.version, one.child.pid, "abc"[i]);
      one.unsure[i] = false;
    }
  return interrupted;
}

bool misses_line() noexcept {
  for (auto &watch : all_watches) {
    if (!watch.child.lives()) continue;
    int const number = static_cast<int>(&watch - all_watches);
    for (auto const &one : all)
      for (int i = 0; one.used && i < one.names; ++i) {
        auto const &seen = one.seen[number][i];
        unsigned const up = one.was_published() && !seen.exempt, down = one.is_there(i) ? 0 : seen.up;
        if (seen.up < up || seen.down < down)
          return misses("pm-watch %d has printed %u up, %u down of version %u, process %d, name %c", number, seen.up, seen.down,
                        one.version, one.child.pid, "abc"[i]);
      }
  }
  return false;
}

bool misses_answer() noexcept {
  for (auto &waiter : waiters) {
    if (!waiter.child.pid) continue;
    bool const is_there = waiter.target->is_there(0), answered = waiter.child.exited(0);
    if (!waiter.child.ended) {
      if (waiter.child.killed || waiter.listend_killed) return misses("pm-wait, process %d, lives", waiter.child.pid);
      if (!waiter.listens) return misses("pm-wait, process %d, does not listen", waiter.child.pid);
      // A version that is exclusive may be there again before pm-wait listens.
      auto const *const now = in_slot[waiter.target->slot];
      bool const is_replaced = now && now != waiter.target && now->version == waiter.target->version && now->is_there(0);
      if (waiter.for_up ? is_there : !is_there && (waiter.saw_target || !is_replaced))
        return misses("pm-wait %s of process %d, version %u, slot %d, has not answered: pm-wait is process %d",
                      waiter.for_up ? "up" : "down", waiter.target->child.pid, waiter.target->version, waiter.target->slot,
                      waiter.child.pid);
      continue;
    }
    bool const may_fail = waiter.child.killed || waiter.listend_killed || waiter.child.may_fail();
    if (answered ? !waiter.for_up && is_there : !may_fail)
      differ("pm-wait %s, process %d, version %u: %x", waiter.for_up ? "up" : "down", waiter.child.pid, waiter.target->version,
             static_cast<unsigned>(waiter.child.status));
    waiter.child = {};
  }
  return false;
}

/** Looks for descriptors of tokens in a process and its descendants. */
bool misses_close(pid_t pid) noexcept {
  char path[64], comm[32];
  bool found = false;
  read_proc(pid, "comm", comm, sizeof comm);
  comm[strcspn(comm, "\n")] = 0;
  pid_t const of = held_by(pid);
  auto const *const one = registration_of(of ? of : pid);
  bool const holds = one && one->any_left() && (of || one->is_held);
  bool const watches_it = !strcmp(comm, "pm-watch") || !strcmp(comm, "pm-reapd") || !strcmp(comm, "pm-listend");
  snprintf(path, sizeof path, "/proc/%d/fd", pid);
  each_entry(path, [&](char const *entry) noexcept {
    char link[512], target[1024], info[256];
    snprintf(link, sizeof link, "/proc/%d/fd/%s", pid, entry);
    ssize_t const n = ::readlink(link, target, sizeof target - 1);
    struct stat st;
    if (n <= 0 || ::stat(link, &st) < 0 || !S_ISFIFO(st.st_mode)) return;
    target[n] = 0;
    std::string_view const file(target);
    if (!file.starts_with(registry) || file.find("/event/") != file.npos || file.find("/listener/") != file.npos) return;
    snprintf(link, sizeof link, "fdinfo/%s", entry);
    read_proc(pid, link, info, sizeof info);
    unsigned flags = 0;
    char const *const start = strstr(info, "flags:");
    if (!start || sscanf(start, "flags: %o", &flags) != 1) return;
    bool const reads = (flags & O_ACCMODE) != O_WRONLY;
    if (reads ? !holds : !watches_it || file.ends_with("(deleted)"))
      found = misses("process %d, %s, %s %s", pid, comm, reads ? "holds" : "watches", target);
  });
  pid_t below[512];
  for (int i = find_children(pid, below, 512); i-- > 0 && !found;) found = misses_close(below[i]);
  return found;
}

unsigned long files, tokens;
int count_file(char const *path, struct stat const *st, int, struct FTW *) noexcept {
  std::string_view const file(path);
  if (S_ISDIR(st->st_mode) || file.ends_with("/socket") || file.ends_with("/lock") || file.ends_with("/onc")) return 0;
  bool const is_listener = file.find("/event/") != file.npos || file.find("/listener/") != file.npos;
  bool const is_token =
      !is_listener && file.find("/service/") != file.npos && S_ISFIFO(st->st_mode) && file.find("/exclusive:") == file.npos;
  tokens += is_token;
  ++files;
  if (ending) differ("%s is left", path);
  return 0;
}

void run_sweep() noexcept {
  int const code = run(Command().add("pm-mkregistry").add("-c").add("%s", registry));
  if (code) differ("pm-mkregistry -c: exit %d", code);
}

void check_files() noexcept {
  run_sweep();
  unsigned long expected = 0;
  for (auto const &one : all)
    for (int i = 0; i < one.names; ++i) expected += one.is_there(i);
  files = tokens = 0;
  ::nftw(registry, count_file, 16, FTW_PHYS);
  if (tokens != expected) differ("%lu tokens after a sweep, and %lu registrations", tokens, expected);
}

void start_watch(WatchProcess &watch) noexcept {
  auto const number = static_cast<size_t>(&watch - all_watches);
  bool const second = number == 1;
  int fds[2];
  make_pipe(fds);
  if (watch.fd >= 0) ::close(watch.fd);
  watch.fd = fds[0];
  watch.used = 0;
  watch.begun = false;
  for (auto &one : all)
    for (int i = 0; i < one.names; ++i) one.seen[number][i] = {.exempt = !one.is_there(i)};
  start(watch.child, client("pm-watch", second).add("-a").add("-i").add("-E").add("-o").add("service,version,pid"),
        {.second = second, .asks = second, .out = fds[1]});
  ::close(fds[1]);
}

double longest_rest;
/** Waits until nothing happens any more, and compares what is there with the model. */
void rest(bool sweep) noexcept {
  double const begun = now_ns();
  await(misses_end);
  check_ends();
  for (auto &one : all)
    for (int i = 0; i < one.names && !one.listed; ++i) {
      if (!one.is_there(i) || one.unsure[i]) continue;
      char name[16];
      one.name(name, sizeof name, i);
      int const code =
          run(Command().add("pm-lookup").add("-a").add("-t").add("10000").add("-V").add("%u", one.version).add("%s", name));
      if (code) differ("pm-lookup -V %u %s: exit %d", one.version, name, code);
    }
  // The holder learns of such a removal from the sweep that ends it.
  if (check_list()) run_sweep();
  for (auto &one : all) one.listed = one.listed || one.lives();
  // What pm-dereg has removed before it was killed is known only now.
  await(misses_end);
  await(misses_line);
  await(misses_answer);
  await([] { return misses_close(::getpid()); });
  longest_rest = std::max(longest_rest, now_ns() - begun);
  if (sweep) check_files();
  for (auto &watch : all_watches) {
    if (watch.child.lives()) continue;
    if (watch.child.pid && !watch.child.killed) differ("pm-watch ended by itself: %x", static_cast<unsigned>(watch.child.status));
    if (!ending) start_watch(watch);
  }
  if (!ending)
    await([] {
      for (auto const &watch : all_watches)
        if (!watch.begun) return misses("pm-watch has not begun");
      return false;
    });
  // A waiter for a registration that never came, and a program that is no longer registered.
  for (auto &waiter : waiters)
    if (waiter.for_up && waiter.child.lives()) kill_child(waiter.child);
  for (auto &one : all) {
    if (!one.used) continue;
    if (one.child.lives() && !one.any_left()) kill_child(one.child);
    // pm-watch may have a line of a registration that was killed while it was made: until the next rest.
    if (!one.child.ended || ++one.rests_dead < 2) continue;
    for (auto const &waiter : waiters)
      if (waiter.child.pid && waiter.target == &one) --one.rests_dead;
    if (one.rests_dead < 2) continue;
    if (one.outer >= 0) ::close(one.outer);
    if (in_slot[one.slot] == &one) in_slot[one.slot] = nullptr;
    one = {};
  }
}

Kind random_kind() noexcept {
  unsigned sum = 0;
  for (auto const &kind : about) sum += kind.weight;
  unsigned left = random_below(sum);
  for (int kind = 0;; ++kind) {
    if (left < about[kind].weight) return static_cast<Kind>(kind);
    left -= about[kind].weight;
  }
}

unsigned long count_kills() noexcept {
  unsigned long sum = 0;
  for (auto const count : kills) sum += count;
  return sum;
}

/** Ends all that is left of this run, and looks for what that leaves. */
void end_all() noexcept {
  // A pm-super that was killed while it replaced the socket has set one aside. The next that replaces it removes that.
  kill_child(daemon_of(super).child);
  await(misses_end);
  ending = true;
  for (auto *const child : children)
    if (child) kill_child(*child);
  for (auto &daemon : daemons)
    if (daemon.ready >= 0) ::close(daemon.ready), daemon.ready = -1;
  await([] {
    for (auto const *const child : children)
      if (child) return misses("process %d lives", child->pid);
    return misses_end();
  });
  check_files();
}

int remove_file(char const *path, struct stat const *, int, struct FTW *) noexcept {
  return ::remove(path);
}

/** PROG of pm-reg: stays until it is killed. PROG of pm-wait: says that pm-wait listens. */
[[noreturn]] void be_program(std::string_view what) noexcept {
  bool const listening = what == "listening";
  // The reader of the newline, its holder, may have been killed.
  ::signal(SIGPIPE, SIG_IGN);
  pid_t const pid = listening ? ::getppid() : ::getpid();
  (void)!::write(running_fd, &pid, sizeof pid);
  if (listening) ::_exit(0);
  if (what == "newline") (void)!::write(ready_fd, "\n", 1);
  for (;;) ::pause();
}

} // namespace

int main(int argc, char **argv) {
  char const *const slash = strrchr(argv[0], '/');
  if (argc > 1 && slash && !strcmp(slash + 1, program_name)) be_program(argv[1]);
  unsigned long const wanted = argc > 1 ? ::strtoul(argv[1], nullptr, 10) : 4400;
  random_state = argc > 2 ? ::strtoull(argv[2], nullptr, 10) : static_cast<uint64_t>(now_ns());
  printf("# %lu kills, seed %llu; %d registrations, %d pm-watch, %s\n", wanted, static_cast<unsigned long long>(random_state),
         slots, watches, is_root ? "the owner's and another user's" : "the owner's, half of them through the service");
  fflush(stdout);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::umask(022);
  char programs[1024], path[4096];
  find_programs(programs, sizeof programs);
  snprintf(path, sizeof path, "%s:%s", programs, ::getenv("PATH"));
  ::setenv("PATH", path, 1);
  struct statfs fs;
  if (::statfs("/dev/shm", &fs) < 0 || fs.f_type != TMPFS_MAGIC) strcpy(directory, "/tmp/pm-soak.XXXXXX");
  if (!::mkdtemp(directory) || ::chmod(directory, 0755) < 0 || ::chdir(directory) < 0) give_up("make a directory");
  snprintf(registry, sizeof registry, "%s/reg", directory);
  ::setenv("PM_REGISTRY", registry, 1);
  snprintf(path, sizeof path, "%s/soak-registry", programs);
  int const null = ::open("/dev/null", O_RDWR | O_CLOEXEC),
            errors = ::open("errors", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (null < 0 || errors < 0 || ::symlink(path, program_name) < 0 || ::mkdir(registry, 0755) < 0) give_up("make files");
  if (is_root && ::chown(registry, owner, owner) < 0) give_up("give the registry to its owner");
  int const own_errors = ::fcntl(2, F_DUPFD_CLOEXEC, 10);
  // So that no descriptor of this process gets a number that a child is given.
  for (int const fd : {ready_fd, running_fd}) ::dup3(null, fd, O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(errors, 2);
  sigset_t child;
  ::sigemptyset(&child);
  ::sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  child_ends = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  int fds[2];
  make_pipe(fds);
  running = fds[0];
  running_write = fds[1];
  if (int const code = run(Command().add("pm-mkregistry").add("%s", registry))) differ("pm-mkregistry: exit %d", code);

  double const begun = now_ns();
  for (auto &daemon : daemons) start_daemon(daemon);
  rest(false);
  for (unsigned rests = 1; count_kills() < wanted && !differences; ++rests) {
    for (int slot = 0; slot < slots; ++slot)
      if (!in_slot[slot]) register_in(slot);
    unsigned long const end = std::min(count_kills() + batch, wanted);
    while (count_kills() < end) {
      act();
      pass(2 * ms);
      kill_one(random_kind());
    }
    rest(rests % sweeps_every == 0);
  }
  end_all();
  for (int kind = 0; kind < kinds; ++kind) printf("%-22s %6lu killed\n", about[kind].name, kills[kind]);
  printf("%lu kills in %.1f s; the longest time from the last kill of a batch to rest: %.0f ms\n", count_kills(),
         (now_ns() - begun) / 1e9, longest_rest / ms);
  for (auto const &daemon : daemons)
    printf("%s started %u times, %u refused\n", about[daemon.kind].name, daemon.starts, daemon.refused);
  if (differences) printf("what the programs said: %s/errors\n", directory);
  else ::nftw(directory, remove_file, 16, FTW_PHYS | FTW_DEPTH);
  ::dup2(own_errors, 2);
  printf("%s\n", differences ? "differs from the model: NOT within" : "nothing is lost, and nothing is left");
  return differences ? 1 : 0;
}
