// Remove an ONC program from a port mapper.

#include "cli/rpc_options.h"

namespace {

using namespace pm;
using namespace pm::rpc;

struct UnsetSettings {
  MapperSettings asked;
  std::optional<Netid> netid;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-unset", .operands = "PROGRAM VERSION", .exits = "0 1 99 100 101 111", .notes = program_note},
    mapper_options<&UnsetSettings::asked>(), mapper_path_option<&UnsetSettings::asked>(local_path_help),
    option<as_netid, &UnsetSettings::netid>('n', "NETID", "only this transport: tcp tcp6 udp udp6 local"));

} // namespace

int main(int argc, char const *const *argv) {
  UnsetSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  auto const [program, version] = program_and_version(operands);
  auto &[asked, netid] = settings;
  if (netid == Netid::none) refuse("invalid -n: none (tcp tcp6 udp udp6 local)");

  asked.find_host();
  auto const unset = pmap_unset(asked.mapper, program, version, netid, asked.deadline);
  if (!unset) asked.die(unset.error(), "unset", operands[0]);
  return *unset ? exits::done : exits::no;
}
