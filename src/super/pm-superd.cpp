// Accept connections on listening sockets, and start PROG for each.

#include <stdlib.h>
#include <utility>
#include "cli/given_sockets.h"
#include "cli/readiness.h"
#include "cli/super_options.h"
#include "libpm/super/super_server.h"

namespace {

using namespace pm;
using namespace pm::super;

struct SuperdSettings {
  SuperOptions server;
  std::optional<SockAddr> worker;
  ServerUsers trusted;
  bool start_worker = false;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-superd", .operands = "[PROG...]", .exits = "0 1 100 101 111"},
    option<as_number<>, &SuperdSettings::server, &SuperOptions::verbosity>(
        'v', "N", "log 0: errors; 1: and warnings (default); 2: and each start and end"),
    server_options<&SuperdSettings::server>(),
    flag<&SuperdSettings::server, &SuperOptions::outer>('L', "serve the sockets of LISTEN_FDS instead of descriptor 0"),
    flag<&SuperdSettings::server, &SuperOptions::own>(
        'O', "own the sockets: remove their paths at exit; with -I, serve queued clients first"),
    option<as_local_address, &SuperdSettings::worker>(
        'w', "WORKER", "hand each connection to the worker at this Unix address; without -s no PROG"),
    server_users_option<&SuperdSettings::trusted>('u', "also trust a worker of USER (always: root and the current user)")
        .needs('w'),
    flag<&SuperdSettings::start_worker>(
        's', "PROG is that worker: start it on WORKER's socket as descriptor 0 when needed, and again when it ends")
        .needs('w'));

/** Serves descriptor 0, or the sockets of LISTEN_FDS. With -O, adds the Unix sockets to `paths`, which removes their paths. */
Done listen(SuperServer &server, SuperOptions const &wanted, SocketBindings &paths) noexcept {
  int fds[listen_fds_max] = {0};
  std::string_view names[listen_fds_max];
  size_t count = 1;
  if (wanted.outer) {
    auto const given = ListenFds::own();
    if (!given) die_of_listen_fds(given.error());
    count = given->size();
    for (size_t i = 0; i < count; ++i) fds[i] = given->fd(i), names[i] = given->name(i);
  }
  if (auto const listening = server.serve_sockets({fds, count}, wanted.outer ? names : nullptr); !listening) return listening;
  for (size_t i = 0; i < count && wanted.own; ++i) {
    auto const address = socket_text(fds[i]);
    if (!address.view().starts_with("local:")) continue;
    if (auto const adopted = paths.adopt(local_address({"the address of a socket", address.view()}), fds[i]); !adopted)
      return adopted;
  }
  return {};
}

} // namespace

int main(int argc, char const *const *argv) {
  SuperdSettings settings;
  settings.server.name = "pm-superd";
  char const *const *const program = command_line.read(argc, argv, settings);
  SuperOptions const &wanted = settings.server;
  auto const &worker = settings.worker;
  bool const program_needed = !worker || settings.start_worker;
  command_line.check_operands(program, program_needed, program_needed ? SIZE_MAX : 0);
  check_ready(wanted);

  StandardErrorLog log;
  SuperServer server(wanted, program, log);
  auto const socket = [&]() noexcept { return Text<32>("descriptor ") << server.failed_at(); };
  if (auto const taken = server.take_signals(); !taken) die_sys(taken.error(), "");
  SocketBindings paths;
  BoundSocket bound;
  auto const remove_paths = [&]() noexcept {
    if (bound.fd.valid()) remove_path(bound, *worker);
    paths.remove_paths();
  };
  auto const give_up = [&](SysError error, std::string_view object) noexcept {
    remove_paths();
    die_sys(error, object);
  };
  if (auto const listening = listen(server, settings.server, paths); !listening) give_up(listening.error(), socket().view());
  if (settings.start_worker) {
    BindOptions private_path;
    private_path.mode = 0700;
    auto made = bind_socket(*worker, private_path);
    if (!made) give_up(made.error(), worker->local_name().view());
    bound = std::move(*made);
  }
  if (worker)
    if (auto const used = server.use_worker(*worker, bound.fd.get(), std::move(settings.trusted)); !used)
      give_up(used.error(), worker->local_name().view());
  if (auto const prepared = server.prepare(); !prepared) give_up(prepared.error(), "");
  notify_readiness(::getenv("NOTIFY_SOCKET"));
  announce_readiness(wanted.ready);
  auto const served = server.run();
  // The sockets are still open, so no other server replaces the paths before they are removed.
  remove_paths();
  if (!served) die_sys(served.error(), socket().view());
  if (*served) return exits::done;
  die(exits::no, "giving up: ", program_needed ? program[0] : "the worker", " has failed ",
      (Text<64>() << wanted.failures << " times in " << wanted.failures_ms << " ms").view());
}
