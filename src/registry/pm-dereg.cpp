// Remove the calling user's registrations of a service.

#include "cli/registry_options.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct DeregSettings {
  char const *registry = Tree::default_path();
  LookupQuery query;
  Route route = Route::direct;
  ClientTimeout timeout;
};

constexpr CommandLine command_line(Synopsis{.program = "pm-dereg", .operands = "SERVICE", .exits = "0 1 99 100 101 111"},
                                   registry_option<&DeregSettings::registry>(), query_options<&DeregSettings::query>(),
                                   service_option<&DeregSettings::route>(), timeout_option<&DeregSettings::timeout>());

} // namespace

int main(int argc, char const *const *argv) {
  DeregSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  settings.query.service = service_argument(operands[0]);

  auto const deadline = settings.timeout.start();
  bool const awaits = settings.timeout.awaits();
  auto const tree = open_tree(settings.registry, awaits, deadline);
  Change change(tree, settings.route, deadline, awaits ? Change::Absent::is_awaited : Change::Absent::fails);
  auto const removed = change.remove_matching(settings.query);
  if (!removed) die_failure(removed.error(), "unregister", settings.query.service, settings.registry);
  return *removed ? exits::done : exits::no;
}
