// bench-onc: pm-rpcbindd beside Debian's rpcbind, in a namespace of their own: each pinned to one processor, the load on another.
// What an answer costs of processor time, how many there are a second, what rows cost to set, and to keep.

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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <initializer_list>

namespace {

constexpr unsigned window = 64, most_rows = 10000, first_program = 0x20000000;
constexpr int samples = 15;

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

/** Each client sends a question, and then each reads its answer: `count` times. */
void ask(Clients const &clients, unsigned count, unsigned rows) noexcept {
  static uint32_t row = 0;
  for (unsigned round = 0; round < count; ++round) {
    for (unsigned i = 0; i < window; ++i) {
      Message const m = get(i, (row += 7919) % rows);
      EXPECT(::send(clients.fds[i], m.bytes(), m.size(), 0) == static_cast<ssize_t>(m.size()));
    }
    char reply[64];
    for (int const fd : clients.fds) EXPECT(::recv(fd, reply, sizeof reply, 0) > 0);
  }
}

void read_replies(int fd, unsigned count) noexcept {
  char bytes[64 * window];
  for (size_t left = size_t{32} * count; left;) {
    ssize_t const n = ::read(fd, bytes, std::min(left, sizeof bytes));
    EXPECT(n > 0);
    left -= static_cast<size_t>(n);
  }
}

void ask_by_stream(int const &fd, unsigned count, unsigned rows) noexcept {
  for (unsigned round = 0; round < count; ++round) {
    char bytes[64 * window];
    for (unsigned i = 0; i < window; ++i) memcpy(bytes + 60 * i, get(i, i % rows).record(), 60);
    EXPECT(::send(fd, bytes, size_t{60} * window, MSG_NOSIGNAL) == ssize_t{60} * window);
    read_replies(fd, window);
  }
}

/** What changes take, ns: the time of whoever waits, and the processor's. */
struct Changes {
  double time = 0, cpu = 0;
  void operator+=(Changes const &other) noexcept { time += other.time, cpu += other.cpu; }
};

/** So many at a time; or one after another, and the answer waited for by poll(2), as libtirpc's clients do, each on a connection `anew`. */
Changes change_rows(Server &server, bool sets, unsigned from, unsigned to, unsigned at_once = 1, bool anew = false) noexcept {
  double const start = bench::now_ns(), cpu = server.cpu();
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
  return {bench::now_ns() - start, server.cpu() - cpu};
}

void report_changes(char const *what, Changes const &ours, Changes const &theirs, double bound, unsigned count) noexcept {
  char detail[160];
  auto const us = [count](double ns) noexcept { return ns / 1e3 / count; };
  snprintf(detail, sizeof detail, "%.0f us / %.0f us; processor time %.0f us / %.0f us", us(ours.time), us(theirs.time),
           us(ours.cpu), us(theirs.cpu));
  bench::report(what, ours.time / theirs.time, bound, "times", detail);
}

double middle(double *values) noexcept {
  std::nth_element(values, values + samples / 2, values + samples);
  return values[samples / 2];
}

/** Processor time an answer, ns. */
double cost_of_an_answer(Server const &server, unsigned rows) noexcept {
  unsigned const rounds = 20;
  double const before = server.cpu();
  ask(server.udp, rounds, rows);
  return (server.cpu() - before) / (rounds * window);
}
/** Of each of both, the median. */
Changes middle(Changes const *changes) noexcept {
  double time[samples], cpu[samples];
  for (int i = 0; i < samples; ++i) {
    time[i] = changes[i].time;
    cpu[i] = changes[i].cpu;
  }
  return {middle(time), middle(cpu)};
}

struct Cost {
  double ours, theirs, /**< turn and turn about */
      alone;           /**< ours, where theirs has not emptied the processor's caches between */
};
Cost cost_of_answers(Server const &ours, Server const &theirs, unsigned rows) noexcept {
  double a[samples], b[samples], c[samples];
  for (int i = 0; i < samples; ++i) {
    a[i] = cost_of_an_answer(ours, rows);
    b[i] = cost_of_an_answer(theirs, rows);
  }
  for (double &one : c) one = cost_of_an_answer(ours, rows);
  return {middle(a), middle(b), middle(c)};
}

/** How long each of many takes, ns: the median. */
template <class From>
double pace(From const &from, unsigned rows, void (*load)(From const &, unsigned, unsigned)) noexcept {
  double t[samples];
  for (double &one : t) {
    double const start = bench::now_ns();
    load(from, 40, rows);
    one = (bench::now_ns() - start) / (40 * window);
  }
  return middle(t);
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

/** A network and a /run of our own; whether that can be. */
bool alone() noexcept {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) < 0 || ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) < 0 ||
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
  Server ours = {.port = 20111, .path = "/run/ours.sock"}, theirs = {.port = 111, .path = "/run/rpcbind.sock"};
  ::waitpid(started([] { become({"pm-mkregistry", "-u", "65500", "/run/pm"}); }), nullptr, 0);
  struct statfs empty, full;
  ours.pid = started([] { become({"pm-rpcbindd", "-d", "/run/pm", "-p", "20111", "-s", "/run/ours.sock"}); });
  theirs.pid = started([] { become({"/sbin/rpcbind", "-f"}); });
  ours.reach();
  theirs.reach();
  pin(static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN)) - 1);
  EXPECT(::statfs("/run", &empty) == 0);

  Changes all_sets, late_ours, late_theirs;
  double least = 1e9, greatest = 0;
  char detail[160];
  unsigned rows = 0;
  for (unsigned const wanted : {10U, 100U, 1000U, most_rows}) {
    // Turn and turn about, a tenth at a time.
    for (unsigned const step = (wanted - rows) / 10 ? (wanted - rows) / 10 : 1; rows < wanted;) {
      unsigned const next = std::min(wanted, rows + step);
      auto const mine = change_rows(ours, true, rows, next), others = change_rows(theirs, true, rows, next);
      all_sets += mine;
      if (rows >= 1000) late_ours += mine, late_theirs += others;
      rows = next;
    }
    auto const cost = cost_of_answers(ours, theirs, rows);
    least = std::min(least, cost.alone);
    greatest = std::max(greatest, cost.alone);
    snprintf(detail, sizeof detail, "%.0f ns / %.0f ns; alone %.0f ns", cost.ours, cost.theirs, cost.alone);
    char what[80];
    snprintf(what, sizeof what, "GETPORT by UDP, processor time / rpcbind's, at %u rows", rows);
    bench::report(what, cost.ours / cost.theirs, rows == 100 ? 0.5 : rows == most_rows ? 0.1 : 0, "times", detail);
    if (rows == 1000) {
      constexpr unsigned some = 100;
      for (bool const anew : {true, false}) {
        Changes sets_ours[samples], sets_theirs[samples], unsets_ours[samples], unsets_theirs[samples];
        for (int i = 0; i < samples; ++i) {
          sets_ours[i] = change_rows(ours, true, rows, rows + some, 1, anew);
          sets_theirs[i] = change_rows(theirs, true, rows, rows + some, 1, anew);
          unsets_ours[i] = change_rows(ours, false, rows, rows + some, 1, anew);
          unsets_theirs[i] = change_rows(theirs, false, rows, rows + some, 1, anew);
        }
        printf(anew ? "# a connection for each, as libtirpc's clients have\n" : "# over one connection, as the kernel has\n");
        report_changes("SET at 1,000 rows: time / rpcbind's", middle(sets_ours), middle(sets_theirs), 1.25, some);
        report_changes("UNSET at 1,000 rows: time / rpcbind's", middle(unsets_ours), middle(unsets_theirs), 1.25, some);
      }
    }
    if (rows == 100) {
      int const mine = ours.tcp(), others = theirs.tcp();
      double const a = pace(mine, rows, ask_by_stream), b = pace(others, rows, ask_by_stream);
      snprintf(detail, sizeof detail, "%.0f / %.0f a second", 1e9 / a, 1e9 / b);
      bench::report("GETPORT by TCP, pipelined: time / rpcbind's", a / b, 0.5, "times", detail);
      ::close(mine);
      ::close(others);
    }
  }
  bench::report("  the dearest / the cheapest, from 10 to 10,000 rows, alone", greatest / least, 1.15, "times");

  int const socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_port = htons(20112);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT(::bind(socket, reinterpret_cast<struct sockaddr *>(&at), sizeof at) == 0);
  pid_t const echoes = started([socket] { echo(socket); });
  Clients to_echo;
  to_echo.reach(20112);
  double const answer = pace(ours.udp, rows, ask), bare = pace(to_echo, rows, ask);
  snprintf(detail, sizeof detail, "%.0f / %.0f a second", 1e9 / answer, 1e9 / bare);
  bench::report("GETPORT by UDP, 64 clients at once: time / an echo's", answer / bare, 1 / 0.7, "times", detail);

  EXPECT(::statfs("/run", &full) == 0);
  snprintf(detail, sizeof detail, "and %.1f inodes", static_cast<double>(empty.f_ffree - full.f_ffree) / most_rows);
  bench::report("tmpfs that the registry takes, a row of a new program",
                static_cast<double>(empty.f_bfree - full.f_bfree) * static_cast<double>(full.f_bsize) / most_rows / 1024, 0, "KB",
                detail);
  snprintf(detail, sizeof detail, "%.0f KB / %.0f KB", resident(ours.pid), resident(theirs.pid));
  bench::report("resident memory at 10,000 rows / rpcbind's", resident(ours.pid) / resident(theirs.pid), 1, "times", detail);
  snprintf(detail, sizeof detail, "processor time %.2f s", all_sets.cpu / 1e9);
  bench::report("10,000 rows set, one after another", all_sets.time / 1e9, 1, "s", detail);
  report_changes("SET from 1,000 rows on: time / rpcbind's", late_ours, late_theirs, 1, most_rows - 1000);
  bench::report("worst wait of others while one does not read his lists", worst_wait(ours), 50, "ms");
  bench::report("  with rpcbind", worst_wait(theirs), 0, "ms");
  auto const mine = change_rows(ours, false, 1000, 3000), others = change_rows(theirs, false, 1000, 3000);
  report_changes("UNSET at 10,000 rows: time / rpcbind's", mine, others, 1, 2000);
  auto const many = change_rows(ours, true, most_rows, 2 * most_rows, window);
  auto const many_others = change_rows(theirs, true, most_rows, 2 * most_rows, window);
  snprintf(detail, sizeof detail, "processor time %.2f s; rpcbind %.2f s, %.2f s", many.cpu / 1e9, many_others.time / 1e9,
           many_others.cpu / 1e9);
  bench::report("10,000 more, 64 in flight", many.time / 1e9, 1, "s", detail);

  for (pid_t const pid : {ours.pid, theirs.pid, echoes}) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  return bench::all_within ? 0 : 1;
}
