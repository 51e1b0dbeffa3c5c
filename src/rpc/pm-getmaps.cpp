// Print all programs that a port mapper has.

#include "cli/rpc_options.h"
#include "cli/table.h"

namespace {

using namespace pm;
using namespace pm::rpc;

struct GetmapsSettings {
  MapperSettings asked;
  bool json = false;
};

constexpr CommandLine command_line(Synopsis{.program = "pm-getmaps", .operands = "", .exits = "0 1 99 100 101 111"},
                                   mapper_options<&GetmapsSettings::asked>(),
                                   mapper_path_option<&GetmapsSettings::asked>(local_path_help),
                                   json_option<&GetmapsSettings::json>());

// The owner is text of the port mapper's host, whose users are not those of this host.
constexpr Column columns[] = {
    {"program", Kind::number}, {"version", Kind::number}, {"address", Kind::text}, {"owner", Kind::text}};

} // namespace

int main(int argc, char const *const *argv) {
  GetmapsSettings settings;
  (void)command_line.read(argc, argv, settings);
  auto &asked = settings.asked;
  asked.find_host();
  Table table({.format = output_format(settings.json)}, columns);
  List<char> text;
  auto const got = pmap_getmaps(
      asked.mapper,
      [&](Binding const &row) noexcept {
        table.add((Text<16>() << row.program).view());
        table.add((Text<16>() << row.version).view());
        auto const id = netid(row.netid);
        auto const address = id ? address_of_universal(*id, row.address) : std::nullopt;
        // A port mapper may list text that is not an address. Print it as NETID:TEXT.
        text.clear();
        if (!address && (!append(text, row.netid) || !append(text, ":"))) die_no_memory();
        if (!append(text, address ? address->text() : std::string_view(row.address))) die_no_memory();
        table.add({text.begin(), text.size()});
        table.add(row.owner);
        table.end_row();
      },
      asked.deadline);
  if (!got) asked.die(got.error(), "list the programs", "");
  print_or_die(table.take());
  return exits::done;
}
