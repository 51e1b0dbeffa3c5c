// What is in a descriptor store, a line each.

#include <pm/fdstore/client.h>

namespace {

using namespace pm;
using namespace pm::fdstore;

constexpr char help[] =
    "[-s ADDRESS] [-t MS] [-H]\n"
    "  -s ADDRESS  where the store is asked (default: $PM_FDSTORE, or /run/pm-fdstore/socket)\n"
    "  -t MS       how long it may take (default 10000; 0: for ever)\n"
    "  -H          a line with the fields' names first: name kind address owner age expiry\n"
    "exit codes: 0 1 99 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-fdlist", argc, argv, help);
  Options options(argc, argv, "s:t:H", help);
  Client client;
  List<char> text;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'H':
        if (text.empty() && !append(text, "name\tkind\taddress\towner\tage\texpiry\n")) die_no_memory();
        break;
      default: client.read_option(options, letter);
    }
  (void)options.arguments(0, 0);
  Listing listing;
  if (auto const refused = client.ask(Enumerate(), listing)) die(exits::no, "unable to list: ", describe(*refused));
  for (Row const &row : listing.rows.elements) {
    Text<512> line;
    line << row.name << '\t' << row.kind << '\t' << (row.address.empty() ? std::string_view("-") : std::string_view(row.address))
         << '\t' << row.owner << '\t' << row.age << '\t';
    if (row.left) line << row.left;
    else line << '-';
    line << '\n';
    // A name is a word; an address may have anything in it that a path may.
    if (has_control(row.name) || has_control(row.kind) || has_control(row.address)) continue;
    if (!append(text, line.view())) die_no_memory();
  }
  print_or_die(text);
  return exits::done;
}
