// Ask a port mapper for the address of an ONC program.

#include "cli/rpc_options.h"
#include "libpm/util/escape.h"

namespace {

using namespace pm;
using namespace pm::rpc;

struct GetportSettings {
  MapperSettings asked;
  std::optional<Netid> netid;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-getport", .operands = "PROGRAM VERSION", .exits = "0 1 99 100 101 111", .notes = program_note},
    mapper_options<&GetportSettings::asked>(),
    mapper_path_option<&GetportSettings::asked>("with -n local: the port mapper's Unix socket (default /run/rpcbind.sock)"),
    option<as_netid, &GetportSettings::netid>(
        'n', "NETID", "the transport: tcp tcp6 udp udp6 local (default: tcp, or tcp6 if HOST's first address is an IPv6 one)"));

int family_of(std::optional<Netid> netid) noexcept {
  return netid ? family_of(*netid) : AF_UNSPEC;
}

} // namespace

int main(int argc, char const *const *argv) {
  GetportSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  auto const [program, version] = program_and_version(operands);
  auto &[asked, netid] = settings;
  if (netid == Netid::none) refuse("invalid -n: none (tcp tcp6 udp udp6 local)");
  if (netid == Netid::local && asked.host) refuse("-h and -n local exclude each other");

  asked.find_host(family_of(netid));
  auto const by = netid ? *netid : asked.mapper.host.family() == AF_INET6 ? Netid::tcp6 : Netid::tcp;
  auto const address = pmap_getport(asked.mapper, program, version, by, asked.deadline);
  if (!address) asked.die(address.error(), "find", operands[0]);
  if (!*address) return exits::no;
  List<char> text;
  if (!append_escaped(text, (*address)->text()) || !append(text, "\n")) die_no_memory();
  print_or_die(text);
  return exits::done;
}
