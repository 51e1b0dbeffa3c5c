// Ask a port mapper where an ONC program is.

#include <pm/rpc/arguments.h>

namespace {

using namespace pm;
using namespace pm::onc;

constexpr char help[] =
    "[-h HOST] [-p PORT] [-s PATH] [-t MS] [-n NETID] PROGRAM VERSION\n"
    "  -h HOST   whose port mapper (default: this host's)\n"
    "  -p PORT   its port (default 111)\n"
    "  -s PATH   its Unix socket, for -n local (default /run/rpcbind.sock)\n"
    "  -t MS     how long it may take (default 10000; 0: for ever)\n"
    "  -n NETID  by which transport: tcp tcp6 udp udp6 local (default tcp, or tcp6 if HOST's first address is of IPv6)\n"
    "PROGRAM: a number, or a name in /etc/rpc\n"
    "exit codes: 0 1 99 100 101 111\n";

int family_of(std::optional<Netid> netid) noexcept {
  return !netid ? AF_UNSPEC : is_v6(*netid) ? AF_INET6 : AF_INET;
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-getport", argc, argv, help);
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
  if (netid == Netid::local && !target.is_here()) options.refuse("-n local goes without -h");

  auto const mapper = target.mapper(family_of(netid));
  auto const by = netid ? *netid : mapper.host.family() == AF_INET6 ? Netid::tcp6 : Netid::tcp;
  auto const address = pmap_getport(mapper, program, version, by, target.deadline());
  if (!address) target.die(address.error(), "find", arguments[0]);
  if (!*address) return exits::no;
  List<char> text;
  if (!append(text, (*address)->text()) || !append(text, "\n")) die_no_memory();
  print_or_die(text);
  return exits::done;
}
