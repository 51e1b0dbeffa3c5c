// Bind sockets, change to another user, and start PROG for each connection.

#include <stdlib.h>
#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/super_options.h"
#include "cli/superd_command.h"
#include "libpm/super/super_server.h"

namespace {

using namespace pm;
using namespace pm::super;

struct SuperSettings {
  SocketBindings sockets;
  BindSettings binding;
  SuperOptions server;
  ProcessIdentity identity;
  bool by_environment = false;
  std::optional<SockAddr> worker;
  List<uid_t> trusted; /**< only pm-superd uses it */
  bool start_worker = false;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-super", .operands = "[ADDRESS] [PROG...]", .exits = "0 1 100 101 111 126 127", .notes = address_note},
    sets<0U, &SuperSettings::server, &SuperOptions::verbosity>('q', "log errors only"),
    sets<1U, &SuperSettings::server, &SuperOptions::verbosity>('Q', "log errors and warnings (default)").as(Form::alternative),
    sets<2U, &SuperSettings::server, &SuperOptions::verbosity>('v', "log each start and end too").as(Form::alternative),
    bind_options<&SuperSettings::binding>(), server_options<&SuperSettings::server>(),
    option<as_groups, &SuperSettings::identity, &ProcessIdentity::groups>(
        'G', "GROUPS", "once the sockets are bound, take these supplementary groups, with commas between them"),
    option<as_group, &SuperSettings::identity, &ProcessIdentity::group>('g', "GROUP",
                                                                        "once the sockets are bound, take this group"),
    option<as_user, &SuperSettings::identity, &ProcessIdentity::user>(
        'u', "USER", "once the sockets are bound, become this user; without -g with its primary group, without -G with no other"),
    flag<&SuperSettings::by_environment>('U', "take what -u, -g and -G leave open from $UID, $GID and $GIDLIST, and unset these"),
    option<as_local_address, &SuperSettings::worker>(
        'w', "WORKER", "become pm-superd, which hands each connection to the worker at this Unix address; without -s no PROG"),
    option<as_user, &SuperSettings::trusted>('T', "USER", "also trust a worker of USER (always: root and the user of -u)")
        .as(Form::repeated)
        .needs('w'),
    flag<&SuperSettings::start_worker>('s', "PROG is that worker").needs('w'),
    option<add_named_socket, &SuperSettings::sockets>('n', "NAME=ADDRESS",
                                                      "instead of ADDRESS: serve several, and give PROG the name")
        .as(Form::repeated));

/** Collects the options that pm-superd also has, without -1 and -N: the descriptor for readiness may have to move. */
SuperdCommand superd_command(int argc, char const *const *argv) noexcept {
  SuperdCommand command;
  command_line.each(argc, argv, [&](char letter, char const *argument) noexcept {
    // Its letter for -T is u, which is another option here.
    if (letter == 'T') command.add('u', argument);
    if (std::string_view("PpcCMRFIWBXews").find(letter) != std::string_view::npos) command.add(letter, argument);
  });
  return command;
}

/** Serves until a signal, the idle time or too many failures end it. */
Result<bool> serve(SuperSettings &settings, SuperServer &server) noexcept {
  int fds[listen_fds_max];
  bool const named = settings.sockets.names()[0].size();
  for (size_t i = 0; i < settings.sockets.size(); ++i) fds[i] = settings.sockets.fd(i).get();
  auto const listening = server.serve_sockets({fds, settings.sockets.size()}, named ? settings.sockets.names().data() : nullptr);
  if (!listening) return fail(listening);
  if (auto const changed = settings.identity.become(); !changed) return fail(changed);
  if (auto const prepared = server.prepare(); !prepared) return fail(prepared);
  notify_readiness(::getenv("NOTIFY_SOCKET"));
  announce_readiness(settings.server.ready);
  return server.run();
}

} // namespace

int main(int argc, char const *const *argv) {
  SuperSettings settings;
  settings.server.name = "pm-super";
  settings.server.own = true;
  char const *const *program = command_line.read(argc, argv, settings);
  // Backlog 0 means not to listen, but a server needs a listening socket.
  if (!settings.binding.backlog) settings.binding.backlog = 1;
  check_ready(settings.server);
  if (settings.by_environment) add_environment(settings.identity);
  SocketBindings &sockets = settings.sockets;
  bool const named = sockets.size(), program_needed = !settings.worker || settings.start_worker;
  size_t const addresses = named ? 0 : 1;
  command_line.check_operands(program, addresses + program_needed, program_needed ? SIZE_MAX : addresses);
  char const *const object = named ? "the sockets" : program[0];
  if (!named) add_socket(sockets, {"ADDRESS", *program++});
  if (settings.worker) {
    bind_or_die(sockets, settings.binding, settings.server.verbosity >= 1);
    return superd_command(argc, argv).become(sockets, settings.identity, settings.server, program);
  }

  StandardErrorLog log;
  SuperServer server(settings.server, program, log);
  // Take the signals before binding, so that a signal cannot leave a path behind.
  if (auto const taken = server.take_signals(); !taken) die_sys(taken.error(), "");
  bind_or_die(sockets, settings.binding, settings.server.verbosity >= 1);
  auto const served = serve(settings, server);
  // The sockets are still open, so no other server replaces the paths before they are removed.
  sockets.remove_paths();
  if (!served) die_sys(served.error(), object);
  if (*served) return exits::done;
  die(exits::no, "giving up: ", program[0], " has failed ",
      (Text<64>() << settings.server.failures << " times in " << settings.server.failures_ms << " ms").view());
}
