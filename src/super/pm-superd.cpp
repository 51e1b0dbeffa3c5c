// Accept connections on descriptor 0, and start PROG for each.

#include <pm/base/program.h>
#include <pm/super/server.h>

namespace {

using namespace pm;
using namespace pm::super;

constexpr char help[] =
    "[-v N] [-1 | -N FD] [-P | -p] [-c MAX] [-C PERUSER] PROG...\n"
    "  -v N        say 0: errors; 1: and warnings (default); 2: and each start and end\n"
    "  -1          write a newline to standard output, and close it, when connections are accepted\n"
    "  -N FD       the same on descriptor FD\n"
    "  -P          do not ask who connects\n"
    "  -p          ask (default)\n"
    "  -c MAX      connections at a time (default 40, at most 100000); more wait\n"
    "  -C PERUSER  connections of one user at a time (default: as -c); more are closed\n"
    "exit codes: 0 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-superd", argc, argv, help);
  Options options(argc, argv, "v:1N:pPc:C:", help);
  ServerOptions wanted;
  for (int letter; (letter = options.next()) >= 0;)
    if (letter == 'v') wanted.verbosity = options.value_number();
    else read_server_option(options, letter, wanted);
  char const *const *const program = options.arguments(1);
  check_server_options(options, wanted);

  auto connections = Connections::make(wanted.most);
  if (!connections) die_sys(connections.error(), "");
  Server server(wanted, static_cast<Connections &&>(*connections), program);
  if (auto const served = server.run(); !served) die_sys(served.error(), "descriptor 0");
  return exits::done;
}
