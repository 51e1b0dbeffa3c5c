// Connect to a service by its name; become PROG, with the connection as descriptors 6 and 7.

#include <pm/base/program.h>
#include <pm/base/ucspi.h>
#include <pm/registry/arguments.h>
#include <pm/registry/connect.h>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] [-V VERSION] [-n NETID] [-u USER | -a | -R] [-P PID] [-t MS] SERVICE PROG...\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -V VERSION   only this version\n"
    "  -n NETID     only this transport: tcp tcp6 local\n"
    "  -u USER      believe this user's registrations only, and not root's, the registry owner's and one's own\n"
    "  -a           believe everybody's\n"
    "  -R           believe root's only\n"
    "  -P PID       only those of this process\n"
    "  -t MS        how long it may take (default 10000; 0: for ever)\n"
    "exit codes: 0 1 99 100 101 111 126 127\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-connect", argc, argv, help);
  Options options(argc, argv, "r:V:n:u:aRP:t:", help);
  char const *path = Registry::default_path();
  Query query;
  int whose = 0;
  uint32_t timeout = 10000;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 't': timeout = options.value_number(); break;
      default:
        read_registry_option(options, letter, path);
        read_query_option(options, letter, query);
        read_whose_option(options, letter, query.whose, whose);
    }
  char const *const *const arguments = options.arguments(2);
  query.service = service_argument(options, arguments[0]);
  if (query.netid && *query.netid != Netid::tcp && *query.netid != Netid::tcp6 && *query.netid != Netid::local)
    options.refuse("-n is no transport to connect by: tcp tcp6 local");

  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  Instances found;
  auto reached = connect(*registry, query, Deadline::in(timeout), -1, found);
  Text<4200> const object = Text<4200>(query.service) << " in " << path;
  if (!reached) die_sys(reached.error(), object.view());
  if (!*reached) return exits::no;

  Environment environment;
  Address const &address = (*reached)->address;
  describe(found[(*reached)->instance], address, environment);
  Fd &socket = (*reached)->socket;
  if (address.netid() == Netid::local) ucspi::describe_local(address.path(), environment);
  else if (auto const described = ucspi::describe_ip(socket.get(), "TCP", environment); !described)
    die_sys(described.error(), object.view());
  if (auto const given = ucspi::give(static_cast<Fd &&>(socket)); !given) die_sys(given.error(), object.view());
  return environment.exec(arguments + 1);
}
