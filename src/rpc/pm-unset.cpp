// Have a port mapper forget an ONC program.

#include <pm/rpc/arguments.h>

namespace {

using namespace pm;
using namespace pm::onc;

constexpr char help[] =
    "[-h HOST] [-p PORT] [-s PATH] [-t MS] [-n NETID] PROGRAM VERSION\n"
    "  -h HOST   whose port mapper (default: this host's, over its Unix socket)\n"
    "  -p PORT   its port (default 111)\n"
    "  -s PATH   its Unix socket (default /run/rpcbind.sock; empty: over loopback)\n"
    "  -t MS     how long it may take (default 10000; 0: for ever)\n"
    "  -n NETID  only this transport: tcp tcp6 udp udp6 local\n"
    "PROGRAM: a number, or a name in /etc/rpc\n"
    "exit codes: 0 1 99 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-unset", argc, argv, help);
  Options options(argc, argv, "h:p:s:t:n:", help);
  Target target;
  std::optional<Netid> netid;
  for (int letter; (letter = options.next()) >= 0;) {
    if (letter == 'n') netid = options.value_netid();
    target.read_option(options, letter);
  }
  char const *const *const arguments = options.arguments(2, 2);
  auto const [program, version] = program_and_version(options, arguments);
  if (netid == Netid::none) options.refuse("-n none is no transport");

  auto const mapper = target.mapper();
  auto const unset = pmap_unset(mapper, program, version, netid, target.deadline());
  if (!unset) target.die(unset.error(), "unset", arguments[0]);
  return *unset ? exits::done : exits::no;
}
