// soak-super [SECONDS [SEED]]: super-servers at their limit, with clients that vanish at random moments: at the end each client
// that stayed for its answer has had it, and no descriptor and no process is left. Of a Unix socket, of TCP, and with a worker
// that is killed again and again.

#include "bare.h"
#include "bench.h"
#include "soak.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <algorithm>

namespace {

using bench::Name;
using namespace soak;
constexpr int limit = 16, clients = 3 * limit, servers = 3;
constexpr double second = 1e9, patience = 30 * second;

struct Server {
  char const *name;
  Name address = {};
  pid_t pid = 0;
  int descriptors = 0;
  unsigned long begun = 0, answered = 0, vanished = 0, lost = 0;

  [[nodiscard]] int count_descriptors() const noexcept {
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", pid);
    each_entry(path, [&](char const *) { ++count; });
    return count;
  }
};

Server all[servers] = {{"a Unix socket"}, {"TCP"}, {"a worker"}};

/** Ready when this returns; what it says on standard output, into `said`. */
void start(Server &server, char *const *argv, char *said, size_t size) noexcept {
  int ready[2], out[2];
  if (::pipe2(ready, O_CLOEXEC) < 0 || ::pipe2(out, O_CLOEXEC) < 0 || (server.pid = ::fork()) < 0) give_up("start a server");
  if (server.pid == 0) {
    ::dup2(ready[1], 9);
    ::dup2(out[1], 1);
    // Whose client has gone says so.
    ::dup2(::open("/dev/null", O_WRONLY), 2);
    ::execv(argv[0], argv);
    ::_exit(127);
  }
  ::close(ready[1]);
  ::close(out[1]);
  ssize_t const n = ::read(out[0], said, size - 1);
  said[n > 0 ? n : 0] = 0;
  char byte;
  if (::read(ready[0], &byte, 1) != 1) give_up("a server that is not ready");
  ::close(ready[0]);
  ::close(out[0]);
}

/** When it goes: before it has said anything, after that, with its answer, when the server has closed, or at some moment. */
enum class Way { at_once, unheard, heard, to_the_end, some_time, ways };

struct Client {
  Server *server = nullptr;
  int fd = -1;
  Way way = Way::at_once;
  double until = 0;
  bool heard = false;

  void begin(Server &to) noexcept {
    server = &to;
    fd = ::socket(to.address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::connect(fd, &to.address.any, size_of(to.address)) < 0) give_up("connect");
    ++to.begun;
    way = static_cast<Way>(random_below(static_cast<unsigned>(Way::ways)));
    until = bench::now_ns() + (way == Way::some_time ? random_below(200) * 1e6 : patience);
    heard = false;
    if (way == Way::at_once) return vanish();
    char bytes[4096] = {};
    if (::send(fd, bytes, 1 + random_below(sizeof bytes), MSG_NOSIGNAL) < 0) give_up("send");
    if (way == Way::unheard) vanish();
    if (way == Way::to_the_end) ::shutdown(fd, SHUT_WR);
  }
  void vanish() noexcept {
    // Of TCP, with a reset as often as not.
    struct linger const reset = {1, 0};
    if (random_below(2)) ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    ++server->vanished;
    end();
  }
  void end() noexcept {
    ::close(fd);
    fd = -1;
  }
  void hear() noexcept {
    char bytes[4096];
    ssize_t const n = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n > 0) heard = true;
    if (n > 0 && way == Way::to_the_end) return;
    if (n < 0 && errno == EAGAIN) return;
    if (way == Way::some_time) return n > 0 ? void() : end();
    if (heard && n >= 0) ++server->answered, end();
    else lose();
  }
  void lose() noexcept {
    ++server->lost;
    end();
  }
  void look_at_clock(double now) noexcept {
    if (now < until) return;
    if (way == Way::some_time) vanish();
    else lose();
  }
};

Client crowd[servers * clients];

/** Until `end`; after it nobody comes any more, and whoever is there has his time. */
void run(double end) noexcept {
  double killed = bench::now_ns();
  for (bool going_on = true; going_on;) {
    double const now = bench::now_ns();
    struct pollfd fds[std::size(crowd)];
    going_on = now < end;
    for (size_t i = 0; i < std::size(crowd); ++i) {
      if (crowd[i].fd < 0 && now < end) crowd[i].begin(all[i / clients]);
      fds[i] = {crowd[i].fd, POLLIN, 0};
      going_on = going_on || crowd[i].fd >= 0;
    }
    ::poll(fds, std::size(fds), 10);
    for (size_t i = 0; i < std::size(crowd); ++i) {
      if (crowd[i].fd >= 0 && fds[i].revents) crowd[i].hear();
      if (crowd[i].fd >= 0) crowd[i].look_at_clock(now);
    }
    // The last one's only child is its worker; those that it has started live on, and are ours then.
    pid_t worker;
    if (now < end && now - killed > second && find_children(all[2].pid, &worker, 1)) ::kill(worker, SIGKILL), killed = now;
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }
}

bool check(bool right, char const *what, Server const &server, long number) noexcept {
  if (!right) printf("%s: %s: %ld: NOT within\n", server.name, what, number);
  bench::all_within = bench::all_within && right;
  return right;
}

/** What is left of it when nobody is connected. `most`: its worker may be. */
void look_at_rest(Server &server, int most) noexcept {
  pid_t children[64];
  double const start = bench::now_ns();
  int left;
  while ((left = find_children(server.pid, children, 64)) > most && bench::now_ns() - start < patience) ::usleep(1000);
  check(left <= most, "processes that are left", server, left);
  // One that is given up to accept, or a worker's connection, may be away for a moment.
  int count;
  while ((count = server.count_descriptors()) != server.descriptors && bench::now_ns() - start < patience) ::usleep(1000);
  check(count == server.descriptors, "descriptors more than at first", server, count - server.descriptors);
  check(server.lost == 0, "clients that had no answer", server, static_cast<long>(server.lost));
  printf("%-14s %8lu connections, %lu answered, %lu vanished, %lu lost; %d descriptors, as at first\n", server.name, server.begun,
         server.answered, server.vanished, server.lost, count);
}

} // namespace

int main(int argc, char **argv) {
  double const seconds = argc > 1 ? ::atof(argv[1]) : 60;
  random_state = argc > 2 ? ::strtoull(argv[2], nullptr, 10) : static_cast<uint64_t>(bench::now_ns());
  printf("# %g seconds, seed %llu; each server at its limit of %d, with %d clients\n", seconds,
         static_cast<unsigned long long>(random_state), limit, clients);
  ::fflush(stdout);
  // Whatever is left behind by anybody is ours.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::signal(SIGPIPE, SIG_IGN);
  char directory[] = "/tmp/pm-soak.XXXXXX", programs[2048], super[4096], superd[4096], binder[4096], receiver[4096], said[128];
  if (!::mkdtemp(directory) || ::chdir(directory) < 0) give_up("make a directory");
  find_programs(programs, sizeof programs);
  snprintf(super, sizeof super, "%s/pm-super", programs);
  snprintf(superd, sizeof superd, "%s/pm-superd", programs);
  snprintf(binder, sizeof binder, "%s/pm-socketbinder", programs);
  snprintf(receiver, sizeof receiver, "%s/pm-fdrecv", programs);
  auto const word = [](char const *text) { return const_cast<char *>(text); };
  char *const local[] = {super,      word("-q"), word("-A"),   word("-N"),  word("9"),
                         word("-c"), word("16"), word("sock"), word("cat"), nullptr};
  char *const tcp[] = {super,       word("-q"), word("-A"), word("-N"),
                       word("9"),   word("-c"), word("16"), word("tcp:127.0.0.1:0"),
                       word("cat"), nullptr};
  char *const worker[] = {binder,     word("-A"), word("passed"), superd,      word("-v"),     word("0"),  word("-N"),
                          word("9"),  word("-c"), word("16"),     word("-w"),  word("worker"), word("-s"), receiver,
                          word("-c"), word("16"), word("fd:0"),   word("cat"), nullptr};
  start(all[0], local, said, sizeof said);
  start(all[1], tcp, said, sizeof said);
  all[1].address.ip.sin_family = AF_INET;
  all[1].address.ip.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  all[1].address.ip.sin_port = htons(static_cast<uint16_t>(::atoi(strrchr(said, ':') + 1)));
  start(all[2], worker, said, sizeof said);
  for (auto const &[server, path] : {std::pair<Server &, char const *>(all[0], "sock"), {all[2], "passed"}}) {
    server.address.any.sa_family = AF_UNIX;
    snprintf(server.address.local.sun_path, sizeof server.address.local.sun_path, "%s", path);
  }
  // One each, so that all is there that stays.
  for (int i = 0; i < servers; ++i) {
    Client &one = crowd[i * clients];
    for (one.begin(all[i]); one.fd < 0 || one.way != Way::to_the_end; one.begin(all[i]))
      if (one.fd >= 0) one.end();
    run(0);
    pid_t children[64];
    while (find_children(all[i].pid, children, 64) > (i == 2)) ::usleep(1000);
    all[i].descriptors = all[i].count_descriptors();
  }
  run(bench::now_ns() + seconds * second);
  for (auto &server : all) look_at_rest(server, &server == &all[2]);
  for (auto &server : all) ::kill(server.pid, SIGTERM);
  double const start = bench::now_ns();
  pid_t ended;
  while ((ended = ::waitpid(-1, nullptr, WNOHANG)) >= 0 && bench::now_ns() - start < patience) ended == 0 ? ::usleep(1000) : 0;
  bool const nobody = ended < 0 && errno == ECHILD;
  printf("processes that are left when all have ended: %s\n", nobody ? "none" : "some: NOT within");
  bench::all_within = bench::all_within && nobody;
  for (char const *const path : {"sock", "passed", "worker"}) ::unlink(path);
  ::rmdir(directory);
  return bench::all_within ? 0 : 1;
}
