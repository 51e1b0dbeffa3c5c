// bench-flood: how long a client waits for its program while another client floods the server with 1,000 connections, against the
// same server without the flood: pm-super -W beside the super-servers on PATH. The two are users, or addresses. Each round starts each
// server anew. The client waits for at most a second.

#include "bare.h"
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace {

using bench::Name;

constexpr int rounds = 7, tries = 21, flood = 1000;
constexpr uid_t attacker = 65501, victim = 65502;
constexpr double longest = 1e9;

[[noreturn]] void give_up(char const *what) noexcept {
  perror(what);
  ::exit(111);
}

struct Server {
  char const *name;
  char const *argv[16];
  bool there = true;
  double alone[rounds] = {}, flooded[rounds] = {}; /**< ns: the median of a round */
};

Name address;

/** A socket of this user that is being connected. On TCP its address is 127.0.0.`host`. -1: the server's queue is full. */
int connect_from(unsigned host) noexcept {
  int const fd = ::socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) give_up("socket");
  if (address.any.sa_family == AF_INET) {
    int const yes = 1;
    ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    Name own = {};
    own.ip.sin_family = AF_INET;
    own.ip.sin_addr.s_addr = htonl(0x7f000000 | host);
    if (::bind(fd, &own.any, sizeof own.ip) < 0) give_up("bind");
  }
  if (::connect(fd, &address.any, size_of(address)) == 0 || errno == EINPROGRESS) return fd;
  ::close(fd);
  return -1;
}

/** The ns until a program echoes a byte; `longest` if it does not in time. */
double serve_once() noexcept {
  double const start = bench::now_ns();
  auto const left = [&]() noexcept { return static_cast<int>(std::max(0.0, longest - (bench::now_ns() - start)) / 1e6); };
  int fd;
  while ((fd = connect_from(1)) < 0)
    if (left() == 0 || ::poll(nullptr, 0, 1) < 0) return longest;
  struct pollfd wanted = {fd, POLLOUT, 0};
  char byte = 'x';
  bool const served = ::poll(&wanted, 1, left()) == 1 && ::send(fd, &byte, 1, MSG_NOSIGNAL) == 1 &&
                      (wanted.events = POLLIN, ::poll(&wanted, 1, left())) == 1 && ::read(fd, &byte, 1) == 1;
  double const took = bench::now_ns() - start;
  ::close(fd);
  return served ? took : longest;
}

double median_time() noexcept {
  double times[tries];
  for (auto &time : times) {
    time = serve_once();
    if (time >= longest) return longest;
  }
  std::nth_element(times, times + tries / 2, times + tries);
  return times[tries / 2];
}

/** Keeps 1,000 connections, and makes a new one for each that is closed. Writes to `ready` when it has connected as often. */
[[noreturn]] void keep_flooding(int ready) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::setresgid(attacker, attacker, attacker) < 0 || ::setresuid(attacker, attacker, attacker) < 0) give_up("setresuid");
  static struct pollfd fds[flood];
  for (auto &one : fds) one = {-1, POLLIN, 0};
  for (int connected = 0;;) {
    bool full = false;
    for (auto &one : fds) {
      char bytes[64];
      if (one.fd >= 0 && one.revents && ::read(one.fd, bytes, sizeof bytes) <= 0) {
        ::close(one.fd);
        one.fd = -1;
      }
      if (one.fd < 0 && !full && (one.fd = connect_from(2), full = one.fd < 0, !full) && ++connected == flood) ::close(ready);
    }
    ::poll(fds, flood, full ? 1 : -1);
  }
}

pid_t start(Server const &server) noexcept {
  if (address.any.sa_family == AF_UNIX) ::unlink(address.local.sun_path);
  pid_t const pid = ::fork();
  if (pid < 0) give_up("fork");
  if (pid == 0) {
    int const null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int const fd : {0, 1, 2}) ::dup2(null, fd);
    ::execvp(server.argv[0], const_cast<char *const *>(server.argv));
    ::_exit(127);
  }
  return pid;
}

void run_round(Server &server, int round) noexcept {
  pid_t pid = start(server);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) give_up("pipe2");
  if (::seteuid(victim) < 0) give_up("seteuid");
  // Until it listens, connections are refused at once. It ends if a program of the last server still has the address.
  for (int i = 0; serve_once() >= longest; ++i) {
    if (i == 2000 || ::poll(nullptr, 0, 1) < 0) give_up(server.name);
    if (::waitpid(pid, nullptr, WNOHANG) == pid) pid = (::seteuid(0) == 0) ? start(server) : -1;
    if (::seteuid(victim) < 0) give_up("seteuid");
  }
  server.alone[round] = median_time();
  if (::seteuid(0) < 0) give_up("seteuid");
  pid_t const flooder = ::fork();
  if (flooder == 0) ::close(ends[0]), keep_flooding(ends[1]);
  ::close(ends[1]);
  struct pollfd ready = {ends[0], POLLIN, 0};
  ::poll(&ready, 1, 1000);
  if (::seteuid(victim) < 0) give_up("seteuid");
  server.flooded[round] = median_time();
  if (::seteuid(0) < 0) give_up("seteuid");
  ::close(ends[0]);
  ::kill(flooder, SIGKILL);
  ::waitpid(flooder, nullptr, 0);
  ::kill(pid, SIGTERM);
  ::waitpid(pid, nullptr, 0);
}

double median_of(double const *values) noexcept {
  double sorted[rounds];
  std::copy(values, values + rounds, sorted);
  std::nth_element(sorted, sorted + rounds / 2, sorted + rounds);
  return sorted[rounds / 2];
}

bool in_path(char const *program) noexcept {
  char command[128];
  snprintf(command, sizeof command, "command -v %s >/dev/null", program);
  return ::system(command) == 0;
}

void compare(char const *kind, std::span<Server> servers) noexcept {
  for (Server &server : servers.subspan(1))
    if (!(server.there = in_path(server.argv[0]))) printf("# no %s here\n", server.name);
  for (int round = 0; round < rounds; ++round)
    for (Server &server : servers)
      if (server.there) run_round(server, round);
  printf("# %s: us until a client's program answers, without and with 1,000 connections of another client\n", kind);
  for (Server const &server : servers) {
    if (!server.there) continue;
    double const alone = median_of(server.alone), flooded = median_of(server.flooded);
    char detail[96];
    snprintf(detail, sizeof detail, "%.0f us, then %s%.0f us", alone / 1e3, flooded >= longest ? "over " : "", flooded / 1e3);
    bench::report(server.name, flooded / alone, &server == servers.data() ? 2 : 0, "times", detail);
  }
}

} // namespace

int main(int, char **argv) {
  if (::geteuid() != 0) {
    printf("# not root: a flood of another user is not measured\n");
    return 0;
  }
  ::signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  if (::getrlimit(RLIMIT_NOFILE, &files) < 0) give_up("getrlimit");
  files.rlim_cur = files.rlim_max = std::min<rlim_t>(files.rlim_max, 8192);
  if (::setrlimit(RLIMIT_NOFILE, &files) < 0) give_up("setrlimit");
  char directory[] = "/tmp/pm-bench.XXXXXX", path[64], super[4096], tcp[64], port[16];
  if (!::mkdtemp(directory) || ::chmod(directory, 0755) < 0) give_up("mkdtemp");
  snprintf(path, sizeof path, "%s/socket", directory);
  char const *const slash = strrchr(argv[0], '/');
  snprintf(super, sizeof super, "%.*spm-super", slash ? static_cast<int>(slash + 1 - argv[0]) : 0, argv[0]);

  address.local.sun_family = AF_UNIX;
  snprintf(address.local.sun_path, sizeof address.local.sun_path, "%s", path);
  Server locals[] = {{"pm-super -W", {super, "-a", "777", "-c", "100", "-C", "8", "-W", "1000", path, "cat"}},
                     {"s6-ipcserver", {"s6-ipcserver", "-a", "777", "-c", "100", "-C", "8", path, "cat"}}};
  compare("a Unix socket", locals);
  ::unlink(path);
  ::rmdir(directory);

  address = {};
  address.ip.sin_family = AF_INET;
  address.ip.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // A port that is free now, and that no outgoing connection gets: below those of ip_local_port_range.
  int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  uint16_t free_port = 20000;
  do address.ip.sin_port = htons(++free_port);
  while (::bind(probe, &address.any, sizeof address.ip) < 0 && free_port < 30000);
  ::close(probe);
  snprintf(port, sizeof port, "%d", ntohs(address.ip.sin_port));
  snprintf(tcp, sizeof tcp, "tcp:127.0.0.1:%s", port);
  Server tcps[] = {{"pm-super -W", {super, "-c", "100", "-C", "8", "-W", "1000", tcp, "cat"}},
                   {"tcpserver", {"tcpserver", "-q", "-H", "-R", "-l0", "-c", "100", "127.0.0.1", port, "cat"}}};
  compare("TCP", tcps);
  return bench::all_within ? 0 : 1;
}
