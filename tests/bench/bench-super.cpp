// bench-super [PROG]: what a connection costs pm-super against a loop of the bare system calls, and s6-ipcserver and
// ucspi-unix's unixserver beside them. Each round starts each server anew; all start the same PROG (default: /bin/true).

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int rounds = 41, connections = 240, most_clients = 8;

char const *path_of_socket, *prog, *pm_super;

[[noreturn]] void give_up(char const *what) noexcept {
  perror(what);
  ::exit(111);
}

// --- the bare loop: what is done for a connection, and nothing else

volatile sig_atomic_t ended = 0;

[[noreturn]] void serve_barely(int listener) noexcept {
  struct sigaction end = {};
  end.sa_handler = [](int) { ended = 1; };
  ::sigaction(SIGTERM, &end, nullptr); // without SA_RESTART: accept4 is to return
  static char const *variables[1024];
  static char uid[32], gid[32], pid[32], number[32], local[160];
  size_t count = 0;
  while (environ[count] && count < 1000) ++count, variables[count - 1] = environ[count - 1];
  snprintf(local, sizeof local, "IPCLOCALPATH=%s", path_of_socket);
  for (char const *v : {"PROTO=IPC", static_cast<char const *>(local), static_cast<char const *>(uid),
                        static_cast<char const *>(gid), static_cast<char const *>(pid), static_cast<char const *>(number)})
    variables[count++] = v;
  char *const argv[] = {const_cast<char *>(prog), nullptr};
  int living = 0;
  while (!ended) {
    int const fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    struct ucred peer;
    socklen_t size = sizeof peer;
    ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
    snprintf(uid, sizeof uid, "IPCREMOTEEUID=%u", peer.uid);
    snprintf(gid, sizeof gid, "IPCREMOTEEGID=%u", peer.gid);
    snprintf(pid, sizeof pid, "IPCREMOTEPID=%d", peer.pid);
    snprintf(number, sizeof number, "IPCCONNNUM=%d", ++living);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, fd, 0);
    ::posix_spawn_file_actions_adddup2(&actions, fd, 1);
    pid_t child;
    if (::posix_spawn(&child, prog, &actions, nullptr, argv, const_cast<char *const *>(variables))) --living;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(fd);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) --living;
  }
  // Whom it has not waited for, it has not paid for.
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  ::_exit(0);
}

// --- servers

struct Server {
  char const *name;
  char const *argv[12]; /**< empty: the bare loop */
  bool there = true;
  double rate[rounds] = {}, cpu[rounds] = {}; /**< connections a second; ns of processor time a connection */
};

struct sockaddr_un address() noexcept {
  struct sockaddr_un result = {};
  result.sun_family = AF_UNIX;
  snprintf(result.sun_path, sizeof result.sun_path, "%s", path_of_socket);
  return result;
}

pid_t start(Server const &server) noexcept {
  ::unlink(path_of_socket);
  pid_t const pid = ::fork();
  if (pid < 0) give_up("fork");
  if (pid > 0) return pid;
  int const null = ::open("/dev/null", O_RDWR);
  ::dup2(null, 0);
  ::dup2(null, 1);
  if (server.argv[0]) {
    ::execvp(server.argv[0], const_cast<char *const *>(server.argv));
    ::_exit(127);
  }
  auto const name = address();
  int const listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(listener, reinterpret_cast<struct sockaddr const *>(&name), sizeof name) < 0 || ::listen(listener, 128) < 0)
    ::_exit(111);
  serve_barely(listener);
}

/** -1: nobody is there yet. */
int connect_once() noexcept {
  auto const name = address();
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("socket");
  if (::connect(fd, reinterpret_cast<struct sockaddr const *>(&name), sizeof name) == 0) return fd;
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

double median(double const *values) noexcept {
  double sorted[rounds];
  std::copy(values, values + rounds, sorted);
  std::nth_element(sorted, sorted + rounds / 2, sorted + rounds);
  return sorted[rounds / 2];
}

double ratio(double const *a, double const *b) noexcept {
  double ratios[rounds];
  for (int i = 0; i < rounds; ++i) ratios[i] = a[i] / b[i];
  return median(ratios);
}

bool in_path(char const *program) noexcept {
  char command[128];
  snprintf(command, sizeof command, "command -v %s >/dev/null", program);
  return ::system(command) == 0;
}

} // namespace

int main(int argc, char **argv) {
  char directory[] = "/tmp/pm-bench.XXXXXX", path[64], super[4096];
  if (!::mkdtemp(directory)) give_up("mkdtemp");
  snprintf(path, sizeof path, "%s/socket", directory);
  char const *const slash = strrchr(argv[0], '/');
  snprintf(super, sizeof super, "%.*spm-super", slash ? static_cast<int>(slash + 1 - argv[0]) : 0, argv[0]);
  path_of_socket = path, pm_super = super, prog = argc > 1 ? argv[1] : "/bin/true";

  static Server servers[] = {{"the bare loop", {}},
                             {"pm-super", {pm_super, "-a", "700", path, prog}},
                             {"s6-ipcserver", {"s6-ipcserver", "-a", "700", path, prog}},
                             {"unixserver", {"unixserver", "-q", "-c", "40", "--", path, prog}}};
  Server &bare = servers[0], &ours = servers[1];
  for (Server &server : servers)
    if (&server > &ours && !(server.there = in_path(server.name))) printf("# no %s here\n", server.name);

  for (int const clients : {1, most_clients}) {
    for (int round = -1; round < rounds; ++round)
      for (size_t i = 0; i < std::size(servers); ++i) {
        // Round -1 warms up; who goes first changes from round to round.
        Server &server = servers[(i + static_cast<size_t>(round + 1)) % std::size(servers)];
        if (server.there) run_round(server, clients, std::max(round, 0));
      }
    printf("# %d at a time, %d rounds of %d connections, each starting %s\n", clients, rounds, connections, prog);
    for (Server const &server : servers) {
      if (!server.there) continue;
      printf("%-14s %8.0f connections/s  %7.1f us of processor time each", server.name, median(server.rate),
             median(server.cpu) / 1e3);
      if (&server != &bare)
        printf("   against the bare loop: rate %.3f, processor time %.3f", ratio(server.rate, bare.rate),
               ratio(server.cpu, bare.cpu));
      printf("\n");
    }
    double const rate = ratio(ours.rate, bare.rate), cpu = ratio(ours.cpu, bare.cpu);
    bool const within = rate >= 0.95 || cpu <= 1.05;
    printf("pm-super: rate at least 0.95 of the bare loop's (%.3f), or processor time at most 1.05 (%.3f): %s\n", rate, cpu,
           within ? "within" : "NOT within");
    ::fflush(stdout);
    bench::all_within = bench::all_within && within;
  }
  ::unlink(path);
  ::rmdir(directory);
  return bench::all_within ? 0 : 1;
}
