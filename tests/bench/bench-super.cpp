// bench-super [PROG]: what a connection costs pm-super, of a Unix socket and of TCP, against a loop of the bare system calls and
// against the super-servers that are on PATH. Each round starts each server anew; all start the same PROG (default: /bin/true).
//
// Bounds: no other super-server takes less processor time a connection or serves more connections a second; the bare loop takes at
// least 1/1.05 of pm-super's processor time. Its posix_spawn(3) waits until the program is executed, and pm-super does not.

#include "bare.h"
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <sys/resource.h>

namespace {

using bench::Name;

constexpr int pairs = 101, connections = 60, most_clients = 8;

[[noreturn]] void give_up(char const *what) noexcept {
  perror(what);
  ::exit(111);
}

// --- servers

/** What pm-super is compared with: itself (no bound), the bare loop, or a peer. */
enum class Bound { itself, bare, peer };

struct Server {
  char const *name;
  Bound bound;
  char const *argv[14]; /**< empty: the bare loop */
  bool there = true;
  double rate[pairs] = {}, cpu[pairs] = {}; /**< connections a second; ns of processor time a connection, its program's too */
};

Name address;
char const *prog;

pid_t start(Server const &server) noexcept {
  if (address.any.sa_family == AF_UNIX) ::unlink(address.local.sun_path);
  pid_t const pid = ::fork();
  if (pid < 0) give_up("fork");
  if (pid > 0) return pid;
  int const null = ::open("/dev/null", O_RDWR);
  for (int const fd : {0, 1, 2}) ::dup2(null, fd);
  if (!server.argv[0]) bench::serve_barely(address, prog);
  ::execvp(server.argv[0], const_cast<char *const *>(server.argv));
  ::_exit(127);
}

/** -1: nobody is there yet. */
int connect_once() noexcept {
  int const fd = ::socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("socket");
  if (::connect(fd, &address.any, size_of(address)) == 0) return fd;
  ::close(fd);
  return -1;
}

/** The ns a process has run itself, without its children; 0 where the kernel does not count. */
double own_ns(pid_t pid) noexcept {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/schedstat", pid);
  FILE *const file = ::fopen(path, "re");
  double ns = 0;
  if (file && ::fscanf(file, "%lf", &ns) != 1) ns = 0;
  if (file) ::fclose(file);
  return ns;
}

bool has_children(pid_t pid) noexcept {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
  FILE *const file = ::fopen(path, "re");
  bool const any = file && ::fgetc(file) != EOF;
  if (file) ::fclose(file);
  return any;
}

void nap() noexcept {
  struct timespec const ms = {0, 1000000};
  ::nanosleep(&ms, nullptr);
}

// --- a round

/** `clients` at a time, each waiting for the end of its connection before it makes another. The ns it all took. */
double run_clients(int clients) noexcept {
  struct pollfd fds[most_clients];
  int started = 0, done = 0;
  double const start_ns = bench::now_ns();
  for (int i = 0; i < clients; ++i, ++started)
    if ((fds[i] = {connect_once(), POLLIN, 0}).fd < 0) give_up("connect");
  while (done < connections) {
    if (::poll(fds, static_cast<nfds_t>(clients), 20000) <= 0) give_up("a server that answers nobody");
    for (int i = 0; i < clients; ++i) {
      char byte;
      if (fds[i].fd < 0 || !fds[i].revents || ::read(fds[i].fd, &byte, 1) != 0) continue;
      ::close(fds[i].fd);
      fds[i].fd = -1;
      ++done;
      if (started < connections && (fds[i].fd = connect_once(), ++started, fds[i].fd < 0)) give_up("connect");
    }
  }
  return bench::now_ns() - start_ns;
}

void run_round(Server &server, int clients, int round) noexcept {
  pid_t const pid = start(server);
  int first;
  for (int i = 0; (first = connect_once()) < 0; ++i) {
    if (i == 5000 || ::waitpid(pid, nullptr, WNOHANG) == pid) give_up(server.name);
    nap();
  }
  char byte;
  if (::read(first, &byte, 1) < 0) give_up("read");
  ::close(first);
  double const before = own_ns(pid), took = run_clients(clients);
  // Who waits for his children as they end has had the time to; the bare loop does it when it is told to end.
  for (int i = 0; server.argv[0] && has_children(pid) && i < 1000; ++i) nap();
  ::kill(pid, SIGTERM);
  struct rusage used;
  if (::wait4(pid, nullptr, 0, &used) != pid) give_up("wait4");
  auto const ns = [](struct timeval t) noexcept {
    return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_usec) * 1e3;
  };
  server.rate[round] = connections / (took / 1e9);
  server.cpu[round] = (ns(used.ru_utime) + ns(used.ru_stime) - before) / connections;
}

// --- figures

double median_of(double const *values) noexcept {
  double sorted[pairs];
  std::copy(values, values + pairs, sorted);
  std::nth_element(sorted, sorted + pairs / 2, sorted + pairs);
  return sorted[pairs / 2];
}

double ratio(double const *a, double const *b) noexcept {
  double ratios[pairs];
  for (int i = 0; i < pairs; ++i) ratios[i] = a[i] / b[i];
  return median_of(ratios);
}

bool in_path(char const *program) noexcept {
  char command[128];
  snprintf(command, sizeof command, "command -v %s >/dev/null", program);
  return ::system(command) == 0;
}

void compare(char const *kind, std::span<Server> servers, int clients) noexcept {
  for (int round = -1; round < pairs; ++round)
    for (size_t i = 0; i < servers.size(); ++i) {
      // Round -1 warms up; who goes first changes from round to round.
      Server &server = servers[(i + static_cast<size_t>(round + 1)) % servers.size()];
      if (server.there) run_round(server, clients, std::max(round, 0));
    }
  Server const &ours = servers[0];
  printf("# %s, %d at a time, %d rounds of %d connections, each starting %s\n", kind, clients, pairs, connections, prog);
  for (Server const &server : servers) {
    if (!server.there) continue;
    printf("%-24s %6.0f connections/s  %7.1f us of processor time each", server.name, median_of(server.rate),
           median_of(server.cpu) / 1e3);
    if (server.bound == Bound::itself) {
      printf("\n");
      continue;
    }
    double const rate = ratio(ours.rate, server.rate), cpu = ratio(ours.cpu, server.cpu);
    bool const is_peer = server.bound == Bound::peer;
    double const most = is_peer ? 1.0 : 1.05;
    bool const within = cpu <= most && (!is_peer || rate >= 1);
    printf("; pm-super: rate %.3f%s, processor time %.3f of it (%s %.2f)\n", rate, is_peer ? " (at least 1)" : "", cpu,
           within ? "within" : "NOT within", most);
    ::fflush(stdout);
    bench::all_within = bench::all_within && within;
  }
}

} // namespace

int main(int argc, char **argv) {
  char directory[] = "/tmp/pm-bench.XXXXXX", path[64], tcp[80], host_port[64], port[16], super[4096], local_conf[64],
       tcp_conf[64];
  if (!::mkdtemp(directory)) give_up("mkdtemp");
  prog = argc > 1 ? argv[1] : "/bin/true";
  snprintf(path, sizeof path, "%s/socket", directory);
  snprintf(local_conf, sizeof local_conf, "%s/local", directory);
  snprintf(tcp_conf, sizeof tcp_conf, "%s/tcp", directory);
  char const *const slash = strrchr(argv[0], '/');
  snprintf(super, sizeof super, "%.*spm-super", slash ? static_cast<int>(slash + 1 - argv[0]) : 0, argv[0]);

  Name local = {}, ip = {};
  local.any.sa_family = AF_UNIX;
  snprintf(local.local.sun_path, sizeof local.local.sun_path, "%s", path);
  ip.any.sa_family = AF_INET;
  ip.ip.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // A port that is free now.
  int const probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof ip.ip;
  if (::bind(probe, &ip.any, size) < 0 || ::getsockname(probe, &ip.any, &size) < 0) give_up("bind");
  ::close(probe);
  snprintf(port, sizeof port, "%d", ntohs(ip.ip.sin_port));
  snprintf(host_port, sizeof host_port, "127.0.0.1:%s", port);
  snprintf(tcp, sizeof tcp, "tcp:%s", host_port);
  struct passwd const *const user = ::getpwuid(::getuid());
  if (!user) give_up("getpwuid");
  for (bool const is_local : {true, false}) {
    FILE *const file = ::fopen(is_local ? local_conf : tcp_conf, "we");
    if (!file) give_up("fopen");
    if (is_local) fprintf(file, "%s stream unix nowait.1000000 %s %s %s\n", path, user->pw_name, prog, prog);
    else fprintf(file, "127.0.0.1:%s stream tcp nowait.1000000 %s %s %s\n", port, user->pw_name, prog, prog);
    ::fclose(file);
  }

  static Server locals[] = {
      {"pm-super", Bound::itself, {super, "-a", "700", path, prog}},
      {"the bare loop", Bound::bare, {}},
      {"s6-ipcserver", Bound::peer, {"s6-ipcserver", "-a", "700", path, prog}},
      {"unixserver", Bound::peer, {"unixserver", "-q", "-c", "40", "--", path, prog}},
      {"systemd-socket-activate", Bound::peer, {"systemd-socket-activate", "-l", path, "--accept", "--inetd", prog}},
      {"inetd", Bound::peer, {"inetd", "-i", "-E", "-R", "1000000", local_conf}}};
  static Server tcps[] = {
      {"pm-super", Bound::itself, {super, tcp, prog}},
      {"the bare loop", Bound::bare, {}},
      {"s6-tcpserver", Bound::peer, {"s6-tcpserver", "127.0.0.1", port, prog}},
      {"tcpserver", Bound::peer, {"tcpserver", "-q", "-H", "-R", "-l0", "127.0.0.1", port, prog}},
      {"systemd-socket-activate", Bound::peer, {"systemd-socket-activate", "-l", host_port, "--accept", "--inetd", prog}},
      {"inetd", Bound::peer, {"inetd", "-i", "-E", "-R", "1000000", tcp_conf}}};
  for (auto &servers : {std::span<Server>(locals), std::span<Server>(tcps)}) {
    bool const is_local = servers.data() == locals;
    for (Server &server : servers.subspan(2))
      if (!(server.there = in_path(server.name))) printf("# no %s here\n", server.name);
    address = is_local ? local : ip;
    for (int const clients : {1, most_clients}) compare(is_local ? "a Unix socket" : "TCP", servers, clients);
  }
  for (char const *const file : {path, local_conf, tcp_conf}) ::unlink(file);
  ::rmdir(directory);
  return bench::all_within ? 0 : 1;
}
