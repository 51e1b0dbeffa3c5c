// Print all programs that a port mapper has.

#include "cli/rpc_options.h"
#include "libpm/util/escape.h"

namespace {

using namespace pm;
using namespace pm::rpc;

constexpr CommandLine command_line(Synopsis{.program = "pm-getmaps", .operands = "", .exits = "0 1 99 100 101 111"},
                                   mapper_options<>(), mapper_path_option<>(local_path_help));

/** Appends text from the port mapper's host as a field of a line. */
void add_field(List<char> &out, std::string_view field, char end) noexcept {
  if (!append_escaped(out, field) || !out.append(end)) die_no_memory();
}

} // namespace

int main(int argc, char const *const *argv) {
  MapperSettings asked;
  (void)command_line.read(argc, argv, asked);
  asked.find_host();
  List<char> text;
  auto const got = pmap_getmaps(
      asked.mapper,
      [&](Binding const &row) noexcept {
        add_field(text, (Text<12>() << row.program).view(), '\t');
        add_field(text, (Text<12>() << row.version).view(), '\t');
        auto const id = netid(row.netid);
        auto const address = id ? address_of_universal(*id, row.address) : std::nullopt;
        // A port mapper may list text that is not an address. Print it as NETID:TEXT.
        if (!address) add_field(text, row.netid, ':');
        add_field(text, address ? address->text() : std::string_view(row.address), '\t');
        add_field(text, row.owner, '\n');
      },
      asked.deadline);
  if (!got) asked.die(got.error(), "list the programs", "");
  print_or_die(text);
  return exits::done;
}
