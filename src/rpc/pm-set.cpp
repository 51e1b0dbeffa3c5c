// Register the address of an ONC program with a port mapper.

#include "cli/rpc_options.h"

namespace {

using namespace pm;
using namespace pm::rpc;

constexpr CommandLine command_line(
    Synopsis{.program = "pm-set",
             .operands = "PROGRAM VERSION ADDRESS",
             .exits = "0 1 99 100 101 111",
             .notes = "PROGRAM: a number, or a name in /etc/rpc\n"
                      "ADDRESS: tcp:HOST:PORT tcp6:[HOST]:PORT udp:... udp6:... local:/PATH fd:N\n"},
    mapper_options<>(), mapper_path_option<>(local_path_help));

} // namespace

int main(int argc, char const *const *argv) {
  MapperSettings asked;
  char const *const *const operands = command_line.read(argc, argv, asked);
  auto const [program, version] = program_and_version(operands);
  Argument const written{"ADDRESS", operands[2]};
  Address address;
  as_address(written, address);
  if (address.netid() == Netid::none) written.refuse("ONC RPC has no such address");
  if (address.path().starts_with('@')) written.refuse("ONC RPC has no abstract names");

  asked.find_host();
  auto const set = pmap_set(asked.mapper, program, version, address, asked.deadline);
  if (!set) asked.die(set.error(), "set", operands[0]);
  return *set ? exits::done : exits::no;
}
