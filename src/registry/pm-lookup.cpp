// Where a service is: print it, or become a program that knows it.

#include <pm/base/address.h>
#include <pm/base/program.h>
#include <pm/events/listening.h>
#include <pm/registry/arguments.h>
#include <pm/registry/connect.h>
#include <pm/registry/lookup.h>
#include <pm/rpc/names.h>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] [-V VERSION] [-o] [-n NETID] [-u USER | -a] [-P PID] [-t MS] SERVICE [PROG...]\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -V VERSION   only this version\n"
    "  -o           SERVICE is an ONC program, by number or name\n"
    "  -n NETID     only this transport: tcp tcp6 udp udp6 local none\n"
    "  -u USER      believe this user's registrations only, and not root's, the registry owner's and one's own\n"
    "  -a           believe everybody's\n"
    "  -P PID       only those of this process\n"
    "  -t MS        wait so long for one to be there (0: for ever)\n"
    "exit codes: 0 1 99 100 101 111 126 127\n";

void look(Registry const &registry, Query const &query, char const *path, Instances &found) noexcept {
  found.clear();
  if (auto const looked = lookup(registry, query, found); !looked) die_sys(looked.error(), (Text<4200>("in ") << path).view());
}

/** Waits until there is one: each change of the service is a reason to look again, and none is missed between two looks. */
void wait(Registry const &registry, Query const &query, char const *path, Deadline deadline, Instances &found) noexcept {
  events::Request const request = {events::Kind::change, query.service, {}, query.version, query.whose, 0};
  while (found.empty()) {
    auto listening = events::Listening::by_child(request, path);
    if (!listening) die_sys(listening.error(), "");
    if (auto const begun = listening->begun(deadline); !begun) die_sys(begun.error(), query.service);
    look(registry, query, path, found);
    if (!found.empty()) return;
    if (auto const waited = listening->wait(deadline); !waited) die_sys(waited.error(), query.service);
    look(registry, query, path, found);
  }
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-lookup", argc, argv, help);
  Options options(argc, argv, "r:V:on:u:aP:t:", help);
  char const *path = Registry::default_path();
  Query query;
  bool waits = false, onc = false;
  List<char> names;
  int whose = 0;
  uint32_t timeout = 0;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'o': onc = true; break;
      case 't': waits = true, timeout = options.value_number(); break;
      default:
        read_registry_option(options, letter, path);
        read_query_option(options, letter, query);
        read_whose_option(options, letter, query.whose, whose);
    }
  char const *const *const arguments = options.arguments(1);
  query.service = onc ? onc::program_argument(options, arguments[0], names) : service_argument(options, arguments[0]);

  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  Text<4200> const where = Text<4200>("in ") << path;
  auto const deadline = Deadline::in(timeout);
  Instances found;
  look(*registry, query, path, found);
  if (found.empty() && waits) wait(*registry, query, path, deadline, found);
  if (found.empty()) return exits::no;
  List<char> text;
  for (size_t i = 0; i < found.size(); ++i) {
    auto const address = Address::parse(found[i].record.address);
    if (!address) die_sys({EBADMSG, "read a record"}, where.view());
    if (arguments[1]) {
      Environment environment;
      describe(found[i], *address, environment);
      return environment.exec(arguments + 1);
    }
    if (!append(text, address->text()) || !append(text, "\n")) die_no_memory();
  }
  print_or_die(text);
  return exits::done;
}
