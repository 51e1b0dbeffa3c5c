// List the descriptors in a store, one on each line.

#include "cli/store_client.h"
#include "libpm/util/escape.h"

namespace {

using namespace pm;
using namespace pm::handover;

struct FdlistSettings {
  message::ServiceSettings service;
  bool header = false;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-fdlist", .operands = "", .exits = "0 1 99 100 101 111"}, store_options<&FdlistSettings::service>(),
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
    for (std::string_view const field : {std::string_view(row.name), std::string_view(row.kind), std::string_view(row.address)})
      if (!append_escaped(text, field.empty() ? "-" : field) || !append(text, "\t")) die_no_memory();
    Text<80> numbers;
    numbers << row.owner << '\t' << row.age << '\t';
    if (row.left) numbers << row.left;
    else numbers << '-';
    numbers << '\n';
    if (!append(text, numbers.view())) die_no_memory();
  }
  print_or_die(text);
  return exits::done;
}
