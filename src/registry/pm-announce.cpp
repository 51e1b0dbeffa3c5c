// Announce the executable that this process becomes.

#include <pm/base/program.h>
#include <pm/registry/arguments.h>
#include <pm/registry/keep.h>
#include <utility>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] [-N FD] [-i] [-S] [-t MS] PROG...\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -N FD        announce only once PROG has written a newline to FD\n"
    "  -i           PROG inherits the token: no process holds it for PROG\n"
    "  -S           through the registry's service, even as its owner\n"
    "  -t MS        how long it may take (default 10000; 0: for ever)\n"
    "exit codes: 0 1 99 100 101 111 126 127\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-announce", argc, argv, help);
  Options options(argc, argv, "r:N:iSt:", help);
  char const *path = Registry::default_path();
  Keeping keeping;
  keeping.is_public = true;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'N': keeping.ready = options.value_descriptor(); break;
      case 'i': keeping.inherit = true; break;
      case 't': keeping.timeout = options.value_number(); break;
      default: read_registry_option(options, letter, path, &keeping.way);
    }
  char const *const *const program = options.arguments(1);
  if (keeping.ready == 2) check_readiness(options, keeping.ready);

  ReadyPipe pipe = keeping.pipe();
  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  auto made = Editor(*registry, keeping.way, Deadline::in(keeping.timeout)).announce(keeping.terms());
  if (!made) die_failure(made.error(), "announce", program[0], path);
  return become_registered(*registry, keeping, std::move(*made), std::move(pipe), program);
}
