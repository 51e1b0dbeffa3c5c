// Announce the executable of PROG, then execute PROG.

#include <utility>
#include "cli/keep.h"
#include "cli/readiness.h"
#include "cli/registry_options.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct AnnounceSettings {
  char const *registry = Tree::default_path();
  Keeping keeping = {.is_public = true};
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-announce", .operands = "PROG...", .exits = "0 1 99 100 101 111 126 127"},
    registry_option<&AnnounceSettings::registry>(),
    option<as_descriptor, &AnnounceSettings::keeping, &Keeping::ready>('N', "FD",
                                                                       "announce once PROG has written a newline to FD"),
    flag<&AnnounceSettings::keeping, &Keeping::inherit>('i', "PROG inherits the token: no process holds it for PROG"),
    service_option<&AnnounceSettings::keeping, &Keeping::route>(),
    timeout_option<&AnnounceSettings::keeping, &Keeping::timeout>());

} // namespace

int main(int argc, char const *const *argv) {
  AnnounceSettings settings;
  char const *const *const program = command_line.read(argc, argv, settings);
  Keeping const &keeping = settings.keeping;
  if (keeping.ready == 2) check_readiness(keeping.ready);

  ReadyPipe pipe = keeping.pipe();
  auto const deadline = keeping.timeout.start();
  auto const tree = open_tree(settings.registry, keeping.timeout.awaits(), deadline);
  auto made = Change(tree, keeping.route, deadline, keeping.absent()).announce(keeping.terms());
  if (!made) die_failure(made.error(), "announce", program[0], settings.registry);
  return become_registered(tree, keeping, std::move(*made), std::move(pipe), program);
}
