// Connect to a service by its name, then execute PROG with the connection as descriptors 6 and 7, or relay it.

#include <utility>
#include "cli/await_registration.h"
#include "cli/program.h"
#include "cli/registry_options.h"
#include "cli/standard_streams.h"
#include "libpm/net/ucspi.h"
#include "libpm/registry/connect.h"
#include "libpm/registry/registration_environment.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct ConnectSettings {
  char const *registry = Tree::default_path();
  LookupQuery query;
  ClientTimeout timeout;
  bool passes = false;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-connect", .operands = "SERVICE [PROG...]", .exits = "0 1 99 100 101 111 126 127"},
    registry_option<&ConnectSettings::registry>(), query_options<&ConnectSettings::query>("only this transport: tcp tcp6 local"),
    origin_options<&ConnectSettings::query>(), trust_options<&ConnectSettings::query, &LookupQuery::trust>(),
    root_option<&ConnectSettings::query, &LookupQuery::trust>(), timeout_option<&ConnectSettings::timeout>(),
    pass_option<&ConnectSettings::passes>());

[[noreturn]] void die_connecting(ConnectFailure const &failure, std::string_view object,
                                 LiveRegistrations const &found) noexcept {
  if (auto const *error = std::get_if<SysError>(&failure)) die_sys(*error, object);
  auto const &server = *std::get_if<UntrustedServer>(&failure);
  die(exits::system, "unable to connect to ", object, ": ", explain(server, found[server.registration]).view());
}

} // namespace

int main(int argc, char const *const *argv) {
  ConnectSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  LookupQuery &query = settings.query;
  query.service = service_argument(operands[0]);
  if (query.netid && *query.netid != Netid::tcp && *query.netid != Netid::tcp6 && *query.netid != Netid::local)
    refuse("invalid -n: ", name(*query.netid), " (tcp tcp6 local)");
  if (settings.passes) check_passing(operands + 1);

  auto const deadline = settings.timeout.start();
  bool const awaits = settings.timeout.awaits();
  auto const tree = open_tree(settings.registry, awaits, deadline);
  LiveRegistrations found;
  if (awaits) look_up(tree, query, settings.registry, awaits, deadline, found);
  found.clear();
  auto reached = connect(tree, query, deadline, found);
  Text<4200> const object = Text<4200>(query.service) << " in " << settings.registry;
  if (!reached) die_connecting(reached.error(), object.view(), found);
  if (!*reached) return exits::no;

  Fd &socket = (*reached)->socket;
  if (!operands[1]) return use_standard_streams(std::move(socket), settings.passes, object.view());
  Environment environment;
  Address const &address = (*reached)->address;
  set_registration(found[(*reached)->registration], address, environment);
  if (address.netid() == Netid::local) ucspi::describe_local(address.path(), environment);
  else if (auto const described = ucspi::describe_ip(socket.get(), "TCP", environment); !described)
    die_sys(described.error(), object.view());
  if (auto const given = ucspi::give(std::move(socket)); !given) die_sys(given.error(), object.view());
  return execute(environment, operands + 1);
}
