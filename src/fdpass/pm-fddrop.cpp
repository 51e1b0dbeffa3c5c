// Have a store forget a descriptor.

#include <pm/fdstore/client.h>

namespace {

using namespace pm;
using namespace pm::fdstore;

constexpr char help[] =
    "[-s ADDRESS] [-t MS] NAME\n"
    "  -s ADDRESS  where the store is asked (default: $PM_FDSTORE, or /run/pm-fdstore/socket)\n"
    "  -t MS       how long it may take (default 10000; 0: for ever)\n"
    "exit codes: 0 1 99 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-fddrop", argc, argv, help);
  Options options(argc, argv, "s:t:", help);
  Client client;
  for (int letter; (letter = options.next()) >= 0;) client.read_option(options, letter);
  Drop question;
  question.name = name_argument(options, options.arguments(1, 1)[0]);
  Finished finished;
  if (auto const refused = client.ask(question, finished)) die_refused("drop", question.name, *refused);
  return exits::done;
}
