// List the descriptors in a store, one on each line.

#include "cli/store_client.h"

namespace {

using namespace pm;
using namespace pm::handover;

struct FdlistSettings {
  message::ServiceSettings service;
  bool header = false;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-fdlist", .operands = "", .exits = "0 1 99 100 101 111"}, store_option<&FdlistSettings::service>(),
    message::service_timeout_option<&FdlistSettings::service>(),
    flag<&FdlistSettings::header>('H', "print a line with the fields' names first: name kind address owner age expiry"));

} // namespace

int main(int argc, char const *const *argv) {
  FdlistSettings settings;
  (void)command_line.read(argc, argv, settings);
  List<char> text;
  if (settings.header && !append(text, "name\tkind\taddress\towner\tage\texpiry\n")) die_no_memory();
  // The listing views the buffer of the client, so keep the client.
  StoreClient client(settings.service);
  StoreListing listing;
  if (auto const refused = client.ask(ListRequest(), listing)) die(exits::no, "unable to list: ", describe(*refused));
  for (StoreRow const &row : listing.rows.elements) {
    Text<512> line;
    line << row.name << '\t' << row.kind << '\t' << (row.address.empty() ? std::string_view("-") : std::string_view(row.address))
         << '\t' << row.owner << '\t' << row.age << '\t';
    if (row.left) line << row.left;
    else line << '-';
    line << '\n';
    // Skip a row with control characters: an address may contain any byte of a path.
    if (has_control(row.name) || has_control(row.kind) || has_control(row.address)) continue;
    if (!append(text, line.view())) die_no_memory();
  }
  print_or_die(text);
  return exits::done;
}
