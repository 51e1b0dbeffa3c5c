// Drop a descriptor from a store.

#include "cli/store_client.h"

namespace {

using namespace pm;
using namespace pm::handover;

using message::ServiceSettings;

constexpr CommandLine command_line(Synopsis{.program = "pm-fddrop", .operands = "NAME", .exits = "0 1 99 100 101 111"},
                                   store_options<>(), message::service_timeout_option<>());

} // namespace

int main(int argc, char const *const *argv) {
  ServiceSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  DropRequest question;
  question.name = name_argument(operands[0]);
  message::Finished finished;
  if (auto const refused = StoreClient(settings).ask(question, finished)) die_refused("drop", question.name, *refused);
  return exits::done;
}
