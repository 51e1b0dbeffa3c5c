// What the chain costs: registrations through the service, on one connection and one a connection, against the same by
// the owner's own hand; hand-overs through pm-fdpass, and straight to pm-fdrecv, against a program that pm-super starts itself.

#include "bench.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <optional>
#include "cli/program.h"
#include "libpm/handover/handover.h"
#include "libpm/net/connect.h"
#include "libpm/os/spawn.h"
#include "libpm/registry/change.h"
#include "libpm/util/skalibs.h"

namespace {

using namespace pm;
using namespace pm::registry;

[[noreturn]] void give_up(char const *what) noexcept {
  die(exits::system, "unable to ", what, ": ", strerror(errno));
}

/** A server, ready: it has written its newline to standard output. */
pid_t serve(std::initializer_list<char const *> words) noexcept {
  List<char const *> argv;
  for (char const *word : words)
    if (!argv.append(word)) die_no_memory();
  if (!argv.append(nullptr)) die_no_memory();
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) < 0) give_up("make a pipe");
  auto const child = Spawner().start(argv.begin(), environ, {{ready[1], 1}});
  if (!child) give_up(argv[0]);
  ::close(ready[1]);
  char byte;
  if (::read(ready[0], &byte, 1) != 1) die(exits::no, argv[0], " was never ready");
  ::close(ready[0]);
  return *child;
}

void end(pid_t server) noexcept {
  ::kill(server, SIGTERM);
  ::waitpid(server, nullptr, 0);
}

/** Registers and removes, by a Change that the caller made. */
void register_once(Change &change) noexcept {
  WantedRegistration const request = {"bench", Address(), 0, false};
  auto made = change.add({&request, 1}, {});
  if (!made) die(exits::no, "a registration failed");
  made->token.reset();
  if (!change.remove({made->tickets.begin(), made->tickets.size()})) die(exits::no, "a removal failed");
}

void await_end(int fd) noexcept {
  char bytes[64];
  while (::read(fd, bytes, sizeof bytes) > 0) {
  }
}

/** One connection to a server at `path`, until the program that was started on it has ended. */
void connect_once(char const *path) noexcept {
  auto const connection = connect_local(path, {});
  if (!connection) give_up("connect");
  await_end(connection->get());
}

/** One end of a pair, straight to the worker; until the program on it has ended. */
void hand_over_once(int worker) noexcept {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) give_up("make a socket pair");
  Fd const ours(ends[0]);
  Fd its(ends[1]);
  auto const answer = handover::hand_over(worker, its.get(), {}, {});
  if (!answer || *answer) die(exits::no, "a descriptor was not taken");
  its.reset();
  await_end(ours.get());
}

void report(char const *what, bench::Ratio const &ratio) noexcept {
  char detail[120];
  snprintf(detail, sizeof detail, "a second: %.0f, %.0f", 1e9 / ratio.ours, 1e9 / ratio.theirs);
  bench::report(what, ratio.ratio, 0, "times", detail);
}

} // namespace

int main() {
  PROG = "bench-chain";
  char place[] = "/dev/shm/pm-bench.XXXXXX";
  if (!::mkdtemp(place) || ::chdir(place) < 0) give_up("make a directory");
  char const *const make[] = {"pm-mkregistry", "registry", nullptr};
  auto const made = Spawner().start(make, environ, {});
  if (!made || ::waitpid(*made, nullptr, 0) < 0) give_up("make a registry");
  pid_t const service = serve({"pm-super", "-1", "registry/socket", "pm-regd", "-r", "registry"});
  auto const tree = Tree::open("registry");
  if (!tree) give_up("open the registry");

  constexpr int many = 50, some = 10;
  auto const by_hand = [&]() noexcept {
    Change change(*tree, Route::direct, {});
    return bench::each(many, [&] { register_once(change); });
  };
  auto const kept = [&]() noexcept {
    Change change(*tree, Route::service, {});
    register_once(change);
    return bench::each(many, [&] { register_once(change); });
  };
  auto const anew = [&]() noexcept {
    return bench::each(some, [&] {
      Change change(*tree, Route::service, {});
      register_once(change);
    });
  };
  report("register and remove, service, kept connection / by own hand", bench::compare(kept, by_hand));
  report("register and remove, service, one a connection / by own hand", bench::compare(anew, by_hand));

  pid_t const worker = serve({"pm-fdrecv", "-N", "1", "worker", "true"});
  pid_t const front = serve({"pm-super", "-1", "front", "pm-fdpass", "worker"});
  pid_t const direct = serve({"pm-super", "-1", "direct", "true"});
  auto const straight = [&]() noexcept { return bench::each(some, [&] { connect_once("direct"); }); };
  auto const passed = [&]() noexcept { return bench::each(some, [&] { connect_once("front"); }); };
  auto const to_worker = connect_local("worker", {});
  if (!to_worker) give_up("connect to the worker");
  auto const received = [&]() noexcept { return bench::each(some, [&] { hand_over_once(to_worker->get()); }); };
  report("pm-super, pm-fdpass, pm-fdrecv, true / pm-super, true", bench::compare(passed, straight));
  report("a kept connection to pm-fdrecv, true / pm-super, true", bench::compare(received, straight));

  for (pid_t const server : {front, direct, worker, service}) end(server);
  ::chdir("/");
  ::rm_rf(place);
  return bench::all_within ? 0 : 1;
}
