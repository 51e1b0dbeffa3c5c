// bench-handover: what a connection costs pm-superd -w, against a loop that accepts and passes the descriptor on and does nothing
// else, and how much quicker than starting /bin/true for each. The worker is the same for both, but for the words it speaks.

#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

constexpr int pairs = 101, connections = 1500, clients = 8, spawned = 200;

char socket_path[96], worker_path[96], programs[4096];

[[noreturn]] void give_up(char const *what) noexcept {
  perror(what);
  ::exit(111);
}

int make_socket(char const *path, bool listening) noexcept {
  struct sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up("socket");
  auto const *const any = reinterpret_cast<struct sockaddr const *>(&name);
  if (listening) ::unlink(path);
  if (listening ? ::bind(fd, any, sizeof name) == 0 && ::listen(fd, 128) == 0 : ::connect(fd, any, sizeof name) == 0) return fd;
  ::close(fd);
  return -1;
}

/** The descriptor that is next; -1: there is none now, with MSG_DONTWAIT in `flags`. */
int take(int in, int flags) noexcept {
  static char bytes[4096];
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  struct iovec part = {bytes, sizeof bytes};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  // A message with descriptors is never joined to the next: unix(7).
  ssize_t const n = ::recvmsg(in, &header, MSG_CMSG_CLOEXEC | flags);
  if (n < 0 && errno == EAGAIN) return -1;
  auto *const rights = n > 0 ? CMSG_FIRSTHDR(&header) : nullptr;
  if (!rights) ::_exit(0);
  int fd;
  memcpy(&fd, CMSG_DATA(rights), sizeof fd);
  return fd;
}

/** Takes descriptors and closes them. `speaking`: as a worker of pm-superd it says of each that it has it, of several at once. */
[[noreturn]] void work(bool speaking) noexcept {
  int const listener = make_socket(worker_path, true), in = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
  constexpr int most = 16, answer = 16;
  // A frame of message::Finished: its type, the size of the payload, no descriptors; a zero.
  static char taken[most * answer];
  for (int i = 0; i < most; ++i) memcpy(taken + i * answer, "\xff\xff\xff\xfd\0\0\0\4", 8);
  while (!speaking) ::close(take(in, 0));
  for (;;) {
    int fds[most], count = 0;
    for (int fd = take(in, 0); fd >= 0; fd = count < most ? take(in, MSG_DONTWAIT) : -1) fds[count++] = fd;
    if (::send(in, taken, static_cast<size_t>(count * answer), MSG_NOSIGNAL) < 0) ::_exit(0);
    while (count) ::close(fds[--count]);
  }
}

[[noreturn]] void pass_barely(int listener) noexcept {
  int out;
  while ((out = make_socket(worker_path, false)) < 0) ::usleep(1000);
  for (;;) {
    int const fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    char byte = 0;
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    struct iovec part = {&byte, 1};
    struct msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    auto *const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(rights), &fd, sizeof fd);
    if (::sendmsg(out, &header, MSG_NOSIGNAL) < 0) ::_exit(111);
    ::close(fd);
  }
}

/** The ns that so many connections take, `clients` at a time, each until its end. */
double run_clients(int count) noexcept {
  struct pollfd fds[clients];
  int started = 0, done = 0;
  double const start = bench::now_ns();
  for (auto &one : fds) one = {make_socket(socket_path, false), POLLIN, 0}, ++started;
  while (done < count) {
    if (::poll(fds, clients, 20000) <= 0) give_up("a server that answers nobody");
    for (auto &one : fds) {
      char byte;
      if (one.fd < 0 || !one.revents || ::read(one.fd, &byte, 1) > 0) continue;
      ::close(one.fd);
      one.fd = -1;
      ++done;
      if (started < count) one.fd = make_socket(socket_path, false), ++started;
    }
  }
  return bench::now_ns() - start;
}

enum class Way { bare, ours, spawning };
struct Figures {
  double rate, cpu; /**< connections a second; ns of the passing process each */
};

Figures measure(Way way) noexcept {
  ::unlink(worker_path);
  int const listener = make_socket(socket_path, true);
  pid_t worker = 0;
  if (way != Way::spawning && (worker = ::fork()) == 0) work(way == Way::ours);
  pid_t const server = ::fork();
  if (server == 0) {
    if (way == Way::bare) pass_barely(listener);
    ::dup2(listener, 0);
    if (way == Way::ours) ::execl(programs, "pm-superd", "-v", "0", "-c", "64", "-w", worker_path, nullptr);
    else ::execl(programs, "pm-superd", "-v", "0", "/bin/true", nullptr);
    ::_exit(127);
  }
  ::close(listener);
  // One first, so that all is set up; the pause of who finds no worker yet is over by then.
  run_clients(clients);
  struct rusage used;
  char path[64];
  auto const own_ns = [&]() noexcept {
    double ns = 0;
    snprintf(path, sizeof path, "/proc/%d/schedstat", server);
    FILE *const file = ::fopen(path, "re");
    if (file && ::fscanf(file, "%lf", &ns) != 1) ns = 0;
    if (file) ::fclose(file);
    return ns;
  };
  int const count = way == Way::spawning ? spawned : connections;
  double const before = own_ns(), took = run_clients(count), after = own_ns();
  for (pid_t const pid : {server, worker})
    if (pid > 0) {
      ::kill(pid, SIGKILL);
      ::wait4(pid, nullptr, 0, &used);
    }
  return {count / (took / 1e9), (after - before) / count};
}

double median_of(double *values) noexcept {
  std::nth_element(values, values + pairs / 2, values + pairs);
  return values[pairs / 2];
}

} // namespace

int main(int, char **argv) {
  char directory[] = "/tmp/pm-bench.XXXXXX";
  if (!::mkdtemp(directory)) give_up("mkdtemp");
  snprintf(socket_path, sizeof socket_path, "%s/socket", directory);
  snprintf(worker_path, sizeof worker_path, "%s/worker", directory);
  char const *const slash = strrchr(argv[0], '/');
  snprintf(programs, sizeof programs, "%.*spm-superd", slash ? static_cast<int>(slash + 1 - argv[0]) : 0, argv[0]);
  static double bare_rate[pairs], bare_cpu[pairs], rate[pairs], cpu[pairs], rates[pairs], cpus[pairs], spawn[pairs];
  for (int i = -1; i < pairs; ++i) {
    // Turn and turn about, and by turns first; the first round warms up.
    auto const a = measure(i % 2 ? Way::ours : Way::bare), b = measure(i % 2 ? Way::bare : Way::ours);
    Figures const &ours = i % 2 ? a : b, &bare = i % 2 ? b : a;
    int const at = std::max(i, 0);
    rate[at] = ours.rate, cpu[at] = ours.cpu, bare_rate[at] = bare.rate, bare_cpu[at] = bare.cpu;
    rates[at] = ours.rate / bare.rate, cpus[at] = ours.cpu / bare.cpu;
    spawn[at] = ours.rate / measure(Way::spawning).rate;
  }
  printf("# %d pairs of %d connections, %d at a time\n", pairs, connections, clients);
  printf("the bare loop  %8.0f connections/s  %6.2f us of its processor time each\n", median_of(bare_rate),
         median_of(bare_cpu) / 1e3);
  printf("pm-superd -w   %8.0f connections/s  %6.2f us of its processor time each\n", median_of(rate), median_of(cpu) / 1e3);
  double const ratio = median_of(rates), quicker = median_of(spawn);
  bool const one = ratio >= 0.85, two = quicker >= 15;
  printf("pm-superd -w: rate at least 0.85 of the bare loop's (%.3f; processor time %.3f): %s\n", ratio, median_of(cpus),
         one ? "within" : "NOT within");
  printf("pm-superd -w: at least 15 times the rate of starting /bin/true (%.1f): %s\n", quicker, two ? "within" : "NOT within");
  ::unlink(socket_path);
  ::unlink(worker_path);
  ::rmdir(directory);
  return one && two ? 0 : 1;
}
