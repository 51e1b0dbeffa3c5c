// Connect to a Unix socket; become PROG, with the connection as descriptors 6 and 7.

#include <pm/base/local_address.h>
#include <pm/base/program.h>
#include <pm/base/ucspi.h>

namespace {

using namespace pm;

constexpr char help[] =
    "[-t MS] ADDRESS PROG...\n"
    "  -t MS  how long to wait for the server to have room (default 0: for ever)\n"
    "ADDRESS: PATH local:PATH local:@NAME\n"
    "exit codes: 0 99 100 101 111 126 127\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-client", argc, argv, help);
  Options options(argc, argv, "t:", help);
  uint32_t timeout = 0;
  while (options.next() >= 0) timeout = options.value_number();
  char const *const *const arguments = options.arguments(2);
  auto const name = LocalAddress::argument(options, arguments[0]);

  auto connection = connect_local(name.text(), Deadline::in(timeout));
  if (!connection) die_sys(connection.error(), arguments[0]);
  if (auto const given = ucspi::give(static_cast<Fd &&>(*connection)); !given) die_sys(given.error(), arguments[0]);

  Environment environment;
  ucspi::describe_local(name.text(), environment);
  return environment.exec(arguments + 1);
}
