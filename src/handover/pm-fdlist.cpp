// List the descriptors in a store, one on each line.

#include "cli/store_client.h"
#include "cli/table.h"

namespace {

using namespace pm;
using namespace pm::handover;

struct FdlistSettings {
  message::ServiceSettings service;
  bool json = false, header = false;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-fdlist", .operands = "", .exits = "0 1 99 100 101 111"}, store_options<&FdlistSettings::service>(),
    message::service_timeout_option<&FdlistSettings::service>(), json_option<&FdlistSettings::json>(),
    flag<&FdlistSettings::header>('H', "print a line with the fields' names first: name kind address owner age expiry")
        .excludes("j"));

constexpr Column columns[] = {{"name", Kind::text},  {"kind", Kind::text}, {"address", Kind::text},
                              {"owner", Kind::user}, {"age", Kind::span},  {"expiry", Kind::span}};

} // namespace

int main(int argc, char const *const *argv) {
  FdlistSettings settings;
  (void)command_line.read(argc, argv, settings);
  // The listing views the buffer of the client, so keep the client.
  StoreClient client(settings.service);
  StoreListing listing;
  if (auto const refused = client.ask(ListRequest(), listing)) die(exits::no, "unable to list: ", describe(*refused));
  Table table({.format = output_format(settings.json), .absent = "-"}, columns);
  if (settings.header) table.add_names();
  for (StoreRow const &row : listing.rows.elements) {
    table.add(row.name);
    table.add(row.kind);
    table.add(row.address);
    table.add((Text<16>() << row.owner).view());
    table.add((Text<32>() << row.age).view());
    table.add(row.left ? (Text<32>() << row.left).view() : "");
    table.end_row();
  }
  print_or_die(table.take());
  return exits::done;
}
