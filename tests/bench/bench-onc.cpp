// bench-onc: pm-rpcbindd beside Debian's rpcbind, in a namespace of their own: the servers on one processor, the clients on
// another. The processor time of an answer, by UDP and TCP; the time of a change; a burst of connections; memory. Both servers
// take turns, and each ratio is the median of the turns' ratios, so that other load on the machine changes it little.

#include "../lib/expect.h"
#include "bench.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <initializer_list>

namespace {

constexpr unsigned window = 64, most_rows = 10000, first_program = 0x20000000;
constexpr int turns_max = 151;
constexpr size_t burst = 1500;

/** A message, or a record of one: words in network order. */
struct Message {
  uint32_t words[32];
  unsigned count = 1; // the first is a record's mark
  void add(uint32_t word) noexcept { words[count++] = htonl(word); }
  void add_text(char const *text) noexcept {
    auto const size = strlen(text);
    add(static_cast<uint32_t>(size));
    memset(words + count, 0, size + 4);
    memcpy(words + count, text, size);
    count += static_cast<unsigned>(size + 3) / 4;
  }
  void call(uint32_t xid, uint32_t version, uint32_t procedure) noexcept {
    for (uint32_t const word : {xid, 0U, 2U, 100000U, version, procedure, 0U, 0U, 0U, 0U}) add(word);
  }
  [[nodiscard]] char const *bytes() const noexcept { return reinterpret_cast<char const *>(words + 1); }
  [[nodiscard]] size_t size() const noexcept { return 4 * (count - 1); }
  char const *record() noexcept {
    words[0] = htonl(0x80000000U | static_cast<uint32_t>(size()));
    return reinterpret_cast<char const *>(words);
  }
};

Message get(uint32_t xid, uint32_t row) noexcept {
  Message m;
  m.call(xid, 2, 3);
  for (uint32_t const word : {first_program + row, 1U, 17U, 0U}) m.add(word);
  return m;
}

Message change(uint32_t xid, bool sets, uint32_t row) noexcept {
  Message m;
  m.call(xid, 3, sets ? 1 : 2);
  m.add(first_program + row);
  m.add(1);
  m.add_text("udp");
  m.add_text("0.0.0.0.8.1");
  m.add_text("");
  return m;
}

[[noreturn]] void become(std::initializer_list<char const *> words) noexcept {
  char const *argv[16] = {};
  std::copy(words.begin(), words.end(), argv);
  ::execvp(argv[0], const_cast<char *const *>(argv));
  ::_exit(127);
}

void pin(int processor) noexcept {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(processor, &set);
  (void)::sched_setaffinity(0, sizeof set, &set);
}

int udp_to(uint16_t port) noexcept {
  struct sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int const fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  EXPECT(fd >= 0 && ::connect(fd, reinterpret_cast<struct sockaddr *>(&to), sizeof to) == 0);
  return fd;
}

/** Clients, each with a port of its own. */
struct Clients {
  int fds[window];
  void reach(uint16_t port) noexcept {
    for (int &fd : fds) fd = udp_to(port);
  }
};

struct Server {
  pid_t pid = -1;
  uint16_t port;
  char const *path;
  clockid_t clock = 0;
  Clients udp = {};
  int local = -1;
  uint32_t asked = 0; /**< the row that a client asked for last */

  /** A connection to its Unix socket; -1: there is none. */
  [[nodiscard]] int connect_local() const noexcept {
    struct sockaddr_un to = {AF_UNIX, {}};
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (::connect(fd, reinterpret_cast<struct sockaddr *>(&to), sizeof to) == 0) return fd;
    ::close(fd);
    return -1;
  }
  /** Once it answers. */
  void reach() noexcept {
    udp.reach(port);
    for (int tries = 0; (local = connect_local()) < 0; ++tries) {
      EXPECT(tries < 2000 && ::waitpid(pid, nullptr, WNOHANG) == 0);
      ::poll(nullptr, 0, 5);
    }
    EXPECT(::clock_getcpuclockid(pid, &clock) == 0);
  }
  [[nodiscard]] double cpu() const noexcept {
    struct timespec t;
    EXPECT(::clock_gettime(clock, &t) == 0);
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
  }
  [[nodiscard]] int tcp() const noexcept {
    struct sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(::connect(fd, reinterpret_cast<struct sockaddr *>(&to), sizeof to) == 0);
    return fd;
  }
};

/** Time and the server's processor time, ns. */
struct Cost {
  double time, cpu;
};
Cost cost_of(Server const &server, pm::Callback<void()> load) noexcept {
  double const start = bench::now_ns(), cpu = server.cpu();
  load();
  return {bench::now_ns() - start, server.cpu() - cpu};
}

/** The medians for two servers that take turns, and of the turns' ratios. */
struct Comparison {
  Cost ours, theirs, ratio;
};
double middle(Cost const *turns, int count, double Cost::*figure) noexcept {
  double values[turns_max];
  for (int i = 0; i < count; ++i) values[i] = turns[i].*figure;
  std::nth_element(values, values + count / 2, values + count);
  return values[count / 2];
}
Cost middle(Cost const *turns, int count) noexcept {
  return {middle(turns, count, &Cost::time), middle(turns, count, &Cost::cpu)};
}
Comparison compare(Server &ours, Server &theirs, pm::Callback<Cost(Server &)> measure, int turns = 31) noexcept {
  static Cost a[turns_max], b[turns_max], ratio[turns_max];
  measure(ours);
  measure(theirs);
  for (int i = 0; i < turns; ++i) {
    if (i % 2) a[i] = measure(ours);
    b[i] = measure(theirs);
    if (!(i % 2)) a[i] = measure(ours);
    ratio[i] = {a[i].time / b[i].time, a[i].cpu / b[i].cpu};
  }
  return {middle(a, turns), middle(b, turns), middle(ratio, turns)};
}

/** `count`: what one turn does. */
void report_cpu(char const *what, Comparison const &c, double bound, unsigned count) noexcept {
  char detail[80];
  snprintf(detail, sizeof detail, "%.0f ns / %.0f ns", c.ours.cpu / count, c.theirs.cpu / count);
  bench::report(what, c.ratio.cpu, bound, "times", detail);
}
void report_time(char const *what, Comparison const &c, double bound, unsigned count) noexcept {
  char detail[160];
  auto const us = [count](double ns) noexcept { return ns / 1e3 / count; };
  snprintf(detail, sizeof detail, "%.1f us / %.1f us; processor time %.1f us / %.1f us", us(c.ours.time), us(c.theirs.time),
           us(c.ours.cpu), us(c.theirs.cpu));
  bench::report(what, c.ratio.time, bound, "times", detail);
}

constexpr unsigned answers = 20 * window; /**< of a turn */

/** Each client sends a question, and then each reads its answer. */
Cost ask(Server &server, unsigned rows) noexcept {
  return cost_of(server, [&]() noexcept {
    for (unsigned asked = 0; asked < answers; asked += window) {
      for (unsigned i = 0; i < window; ++i) {
        Message const m = get(i, (server.asked += 7919) % rows);
        EXPECT(::send(server.udp.fds[i], m.bytes(), m.size(), 0) == static_cast<ssize_t>(m.size()));
      }
      char reply[64];
      for (int const fd : server.udp.fds) EXPECT(::recv(fd, reply, sizeof reply, 0) > 0);
    }
  });
}

void read_replies(int fd, unsigned count) noexcept {
  char bytes[64 * window];
  for (size_t left = size_t{32} * count; left;) {
    ssize_t const n = ::read(fd, bytes, std::min(left, sizeof bytes));
    EXPECT(n > 0);
    left -= static_cast<size_t>(n);
  }
}

/** The same, each over a connection of its own. */
Cost ask_by_connections(Server &server, unsigned rows) noexcept {
  return cost_of(server, [&]() noexcept {
    for (unsigned asked = 0; asked < answers; asked += window) {
      int fds[window];
      for (int &fd : fds) fd = server.tcp();
      for (unsigned i = 0; i < window; ++i) EXPECT(::send(fds[i], get(i, (asked + i) % rows).record(), 60, MSG_NOSIGNAL) == 60);
      for (int const fd : fds) {
        read_replies(fd, 1);
        ::close(fd);
      }
    }
  });
}

/** One client, which sends many questions before it reads the answers. */
Cost ask_by_stream(Server &server, unsigned rows) noexcept {
  int const fd = server.tcp();
  auto const cost = cost_of(server, [&]() noexcept {
    for (unsigned asked = 0; asked < answers; asked += window) {
      char bytes[64 * window];
      for (unsigned i = 0; i < window; ++i) memcpy(bytes + 60 * i, get(i, i % rows).record(), 60);
      EXPECT(::send(fd, bytes, size_t{60} * window, MSG_NOSIGNAL) == ssize_t{60} * window);
      read_replies(fd, window);
    }
  });
  ::close(fd);
  return cost;
}

/**
 * So many at a time; or one after another, and the answer waited for by poll(2), as libtirpc's clients do, each on a connection
 * `anew`.
 */
Cost change_rows(Server &server, bool sets, unsigned from, unsigned to, unsigned at_once = 1, bool anew = false) noexcept {
  return cost_of(server, [&]() noexcept {
    for (unsigned row = from; row < to;) {
      char bytes[sizeof(Message) * window];
      size_t size = 0;
      unsigned const next = std::min(to, row + at_once), count = next - row;
      for (; row < next; ++row) {
        Message m = change(row, sets, row);
        memcpy(bytes + size, m.record(), m.size() + 4);
        size += m.size() + 4;
      }
      if (anew) {
        ::close(server.local);
        server.local = server.connect_local();
      }
      EXPECT(::send(server.local, bytes, size, MSG_NOSIGNAL) == static_cast<ssize_t>(size));
      struct pollfd ready = {server.local, POLLIN, 0};
      EXPECT(::poll(&ready, 1, -1) == 1);
      read_replies(server.local, count);
    }
  });
}

/** Rows that are set, and unset again, at this number of them. */
void compare_changes(Server &ours, Server &theirs, unsigned rows, double bound) noexcept {
  // So few that most turns end before another program gets the processor.
  constexpr unsigned some = 4;
  for (bool const anew : {true, false}) {
    char what[80];
    char const *const way = anew ? "a connection for each" : "over one connection";
    for (bool const sets : {true, false}) {
      auto const c = compare(
          ours, theirs,
          [&](Server &server) noexcept {
            auto const set = change_rows(server, true, rows, rows + some, 1, anew),
                       unset = change_rows(server, false, rows, rows + some, 1, anew);
            return sets ? set : unset;
          },
          turns_max);
      snprintf(what, sizeof what, "%s at %u rows, %s: time / rpcbind's", sets ? "SET" : "UNSET", rows, way);
      // At 20 rows, rpcbind's list costs nothing, and a connection of the kernel sets few.
      report_time(what, c, anew || rows > 20 ? bound : 0, some);
    }
  }
}

/** Many clients connect and ask at once: how long the last of them waits for its answer. */
Cost ask_in_a_burst(Server &server, unsigned rows) noexcept {
  return cost_of(server, [&]() noexcept {
    static int clients[burst];
    for (int &fd : clients) {
      fd = server.tcp();
      EXPECT(::send(fd, get(1, 1 % rows).record(), 60, MSG_NOSIGNAL) == 60);
    }
    for (int const fd : clients) {
      read_replies(fd, 1);
      ::close(fd);
    }
  });
}

/** What comes is sent back: no answer costs less. */
[[noreturn]] void echo(int fd) noexcept {
  static char bytes[32][64];
  static struct sockaddr_in peers[32];
  struct iovec data[32];
  struct mmsghdr headers[32] = {};
  for (;;) {
    for (unsigned i = 0; i < 32; ++i) {
      data[i] = {bytes[i], sizeof bytes[i]};
      headers[i].msg_hdr = {&peers[i], sizeof peers[i], &data[i], 1, nullptr, 0, 0};
    }
    int const n = ::recvmmsg(fd, headers, 32, MSG_WAITFORONE, nullptr);
    if (n <= 0) ::_exit(1);
    for (int i = 0; i < n; ++i) data[i].iov_len = 28;
    (void)!::sendmmsg(fd, headers, static_cast<unsigned>(n), 0);
  }
}

double resident(pid_t pid) noexcept {
  char path[32], line[128];
  snprintf(path, sizeof path, "/proc/%d/status", static_cast<int>(pid));
  FILE *const file = ::fopen(path, "re");
  double kb = 0;
  while (file && ::fgets(line, sizeof line, file))
    if (strncmp(line, "VmRSS:", 6) == 0) kb = ::strtod(line + 6, nullptr);
  if (file) ::fclose(file);
  return kb;
}

/** The longest that anybody waits while another asks for lists, and does not read them: ms. */
double worst_wait(Server const &server) noexcept {
  int const slow = server.tcp();
  Message dump;
  dump.call(1, 3, 4);
  for (int i = 0; i < 200; ++i) (void)!::send(slow, dump.record(), dump.size() + 4, MSG_NOSIGNAL | MSG_DONTWAIT);
  double worst = 0;
  for (unsigned i = 0; i < 2000; ++i) {
    Message const m = get(i, i % most_rows);
    char reply[64];
    double const start = bench::now_ns();
    EXPECT(::send(server.udp.fds[0], m.bytes(), m.size(), 0) > 0 && ::recv(server.udp.fds[0], reply, sizeof reply, 0) > 0);
    worst = std::max(worst, bench::now_ns() - start);
  }
  ::close(slow);
  return worst / 1e6;
}

/**
 * Goes on in a child with a network, a /run and processes of its own, which end with it; this process ends as the child does.
 * False: that cannot be.
 */
bool alone() noexcept {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) < 0) return false;
  if (pid_t const child = ::fork(); child) {
    int status = 1;
    EXPECT(::waitpid(child, &status, 0) == child);
    ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  if (::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 || ::mount("proc", "/proc", "proc", 0, nullptr) < 0 ||
      ::mount("run", "/run", "tmpfs", 0, nullptr) < 0)
    return false;
  struct ifreq request = {};
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  int const fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool const up = ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  ::close(fd);
  return up;
}

template <class Start>
pid_t started(Start start) noexcept {
  pid_t const pid = ::fork();
  EXPECT(pid >= 0);
  if (pid == 0) {
    pin(0);
    ::close(2);
    EXPECT(::open("/dev/null", O_WRONLY) == 2);
    start();
    ::_exit(127);
  }
  return pid;
}

} // namespace

int main() {
  if (::access("/sbin/rpcbind", X_OK) < 0 || !alone()) {
    printf("# it takes root, namespaces and rpcbind: nothing is measured\n");
    return 0;
  }
  struct rlimit files = {2 * burst, 2 * burst};
  EXPECT(::setrlimit(RLIMIT_NOFILE, &files) == 0);
  Server ours = {.port = 20111, .path = "/run/ours.sock"}, theirs = {.port = 111, .path = "/run/rpcbind.sock"},
         few = {.port = 20113, .path = "/run/few.sock"}, echoes = {.port = 20112, .path = ""};
  for (char const *const registry : {"/run/pm", "/run/few"})
    ::waitpid(started([registry] { become({"pm-mkregistry", "-u", "65500", registry}); }), nullptr, 0);
  struct statfs empty, full;
  ours.pid = started([] { become({"pm-rpcbindd", "-d", "/run/pm", "-p", "20111", "-s", "/run/ours.sock"}); });
  few.pid = started([] { become({"pm-rpcbindd", "-d", "/run/few", "-p", "20113", "-s", "/run/few.sock"}); });
  theirs.pid = started([] { become({"/sbin/rpcbind", "-f"}); });
  for (Server *const server : {&ours, &few, &theirs}) server->reach();
  pin(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)) - 1);
  change_rows(few, true, 0, 100);
  EXPECT(::statfs("/run", &empty) == 0);

  char detail[160], what[80];
  unsigned rows = 0;
  Cost all_sets = {};
  for (unsigned const wanted : {20U, 100U, 1000U, most_rows}) {
    auto const mine = change_rows(ours, true, rows, wanted);
    all_sets.time += mine.time;
    all_sets.cpu += mine.cpu;
    change_rows(theirs, true, rows, wanted);
    rows = wanted;
    // rpcbind keeps counters of each program that a client has asked for, in a list.
    for (Server *const server : {&ours, &theirs})
      for (unsigned asked = 0; asked < rows; asked += answers) ask(*server, rows);
    auto const by_udp = compare(ours, theirs, [rows](Server &server) noexcept { return ask(server, rows); });
    snprintf(what, sizeof what, "GETPORT by UDP at %u rows: processor time / rpcbind's", rows);
    report_cpu(what, by_udp, rows == 100 ? 0.5 : rows == most_rows ? 0.1 : 0, answers);
    if (rows == 100) {
      auto const each = compare(ours, theirs, [rows](Server &server) noexcept { return ask_by_connections(server, rows); });
      report_cpu("GETPORT by TCP, a connection each: processor time / rpcbind's", each, 1, answers);
      auto const stream = compare(ours, theirs, [rows](Server &server) noexcept { return ask_by_stream(server, rows); });
      report_time("GETPORT by TCP, pipelined: time / rpcbind's", stream, 0.5, answers);
    } else {
      compare_changes(ours, theirs, rows, rows == most_rows ? 1 : 1.25);
    }
  }
  auto const flat = compare(ours, few, [&](Server &server) noexcept { return ask(server, &server == &few ? 100 : rows); });
  report_cpu("GETPORT by UDP: processor time at 10,000 rows / at 100", flat, 1.15, answers);

  int const socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_port = htons(echoes.port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT(::bind(socket, reinterpret_cast<struct sockaddr *>(&at), sizeof at) == 0);
  echoes.pid = started([socket] { echo(socket); });
  echoes.udp.reach(echoes.port);
  EXPECT(::clock_getcpuclockid(echoes.pid, &echoes.clock) == 0);
  report_time("GETPORT by UDP, 64 clients at once: time / an echo's",
              compare(ours, echoes, [rows](Server &server) noexcept { return ask(server, rows); }), 1 / 0.7, answers);

  EXPECT(::statfs("/run", &full) == 0);
  snprintf(detail, sizeof detail, "and %.1f inodes", static_cast<double>(empty.f_ffree - full.f_ffree) / most_rows);
  bench::report("tmpfs that the registry takes, a row of a new program",
                static_cast<double>(empty.f_bfree - full.f_bfree) * static_cast<double>(full.f_bsize) / most_rows / 1024, 0, "KB",
                detail);
  snprintf(detail, sizeof detail, "%.0f KB / %.0f KB", resident(ours.pid), resident(theirs.pid));
  bench::report("resident memory at 10,000 rows / rpcbind's", resident(ours.pid) / resident(theirs.pid), 1, "times", detail);
  snprintf(detail, sizeof detail, "processor time %.2f s", all_sets.cpu / 1e9);
  bench::report("10,000 rows set, one after another", all_sets.time / 1e9, 1, "s", detail);
  auto const waits = compare(ours, theirs, [rows](Server &server) noexcept { return ask_in_a_burst(server, rows); });
  report_time("1,500 connections at once: time to the last answer / rpcbind's", waits, 1, burst);
  bench::report("worst wait of others while one does not read his lists", worst_wait(ours), 50, "ms");
  bench::report("  with rpcbind", worst_wait(theirs), 0, "ms");
  auto const many = change_rows(ours, true, most_rows, 2 * most_rows, window);
  auto const many_others = change_rows(theirs, true, most_rows, 2 * most_rows, window);
  snprintf(detail, sizeof detail, "processor time %.2f s; rpcbind %.2f s, %.2f s", many.cpu / 1e9, many_others.time / 1e9,
           many_others.cpu / 1e9);
  bench::report("10,000 more, 64 in flight", many.time / 1e9, 1, "s", detail);

  return bench::all_within ? 0 : 1;
}
