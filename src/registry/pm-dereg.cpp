// Undo one's own registrations of a service.

#include <pm/base/program.h>
#include <pm/registry/arguments.h>
#include <pm/registry/editor.h>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] [-V VERSION] [-n NETID] [-P PID] [-S] [-t MS] SERVICE\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -V VERSION   only this version\n"
    "  -n NETID     only this transport: tcp tcp6 udp udp6 local none\n"
    "  -P PID       only those of this process\n"
    "  -S           through the registry's service, even as its owner\n"
    "  -t MS        how long it may take (default 10000; 0: for ever)\n"
    "exit codes: 0 1 99 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-dereg", argc, argv, help);
  Options options(argc, argv, "r:V:n:P:St:", help);
  char const *path = Registry::default_path();
  Query query;
  uint32_t timeout = 10000;
  Way way = Way::by_rights;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 't': timeout = options.value_number(); break;
      default: read_registry_option(options, letter, path, &way); read_query_option(options, letter, query);
    }
  query.service = service_argument(options, options.arguments(1, 1)[0]);

  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  Editor editor(*registry, way, Deadline::in(timeout));
  auto const removed = editor.remove_matching(query);
  if (!removed) die_failure(removed.error(), "unregister", query.service, path);
  return *removed ? exits::done : exits::no;
}
