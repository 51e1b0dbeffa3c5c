// Tell a port mapper where an ONC program is.

#include <pm/rpc/arguments.h>

namespace {

using namespace pm;
using namespace pm::onc;

constexpr char help[] =
    "[-h HOST] [-p PORT] [-s PATH] [-t MS] PROGRAM VERSION ADDRESS\n"
    "  -h HOST  whose port mapper (default: this host's, over its Unix socket)\n"
    "  -p PORT  its port (default 111)\n"
    "  -s PATH  its Unix socket (default /run/rpcbind.sock; empty: over loopback)\n"
    "  -t MS    how long it may take (default 10000; 0: for ever)\n"
    "PROGRAM: a number, or a name in /etc/rpc\n"
    "ADDRESS: tcp:HOST:PORT tcp6:[HOST]:PORT udp:... udp6:... local:/PATH fd:N\n"
    "exit codes: 0 1 99 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-set", argc, argv, help);
  Options options(argc, argv, "h:p:s:t:", help);
  Target target;
  for (int letter; (letter = options.next()) >= 0;) target.read_option(options, letter);
  char const *const *const arguments = options.arguments(3, 3);
  auto const [program, version] = program_and_version(options, arguments);
  auto const address = options.address(arguments[2]);
  if (address.netid() == Netid::none || address.path().starts_with('@'))
    options.refuse((Text<512>("not an address that RPC has: ") << arguments[2]).view());

  auto const mapper = target.mapper();
  auto const set = pmap_set(mapper, program, version, address, target.deadline());
  if (!set) target.die(set.error(), "set", arguments[0]);
  return *set ? exits::done : exits::no;
}
