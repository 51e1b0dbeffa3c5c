// Print the addresses of a service, or execute PROG with the first registration in its environment.

#include "cli/await_registration.h"
#include "cli/program.h"
#include "cli/registry_options.h"
#include "cli/rpc_options.h"
#include "libpm/net/address.h"
#include "libpm/registry/lookup.h"
#include "libpm/registry/registration_environment.h"
#include "libpm/util/escape.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct LookupSettings {
  char const *registry = Tree::default_path();
  LookupQuery query;
  bool is_onc = false;
  std::optional<uint32_t> timeout; /**< nothing: do not wait */
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-lookup", .operands = "SERVICE [PROG...]", .exits = "0 1 99 100 101 111 126 127"},
    registry_option<&LookupSettings::registry>(), query_options<&LookupSettings::query>(),
    origin_options<&LookupSettings::query>(), rpc::program_option<&LookupSettings::is_onc>(),
    trust_options<&LookupSettings::query, &LookupQuery::trust>(),
    option<as_number<>, &LookupSettings::timeout>('t', "MS",
                                                  "wait this long for a registration, and for the registry (0: without limit)"));

} // namespace

int main(int argc, char const *const *argv) {
  LookupSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  LookupQuery &query = settings.query;
  List<char> names;
  query.service = settings.is_onc ? rpc::program_argument(operands[0], names) : service_argument(operands[0]);

  auto const deadline = time_limit(settings.timeout.value_or(0));
  bool const awaits = settings.timeout.has_value();
  auto const tree = open_tree(settings.registry, awaits, deadline);
  LiveRegistrations found;
  look_up(tree, query, settings.registry, awaits, deadline, found);
  if (found.empty()) return exits::no;
  List<char> text;
  for (size_t i = 0; i < found.size(); ++i) {
    auto const address = Address::parse(found[i].record.address);
    if (!address) die_in(settings.registry, {EBADMSG, "read a record"});
    if (operands[1]) {
      Environment environment;
      set_registration(found[i], *address, environment);
      return execute(environment, operands + 1);
    }
    if (!append_escaped(text, address->text()) || !append(text, "\n")) die_no_memory();
  }
  print_or_die(text);
  return exits::done;
}
