// Print all that a port mapper has.

#include <pm/rpc/arguments.h>

namespace {

using namespace pm;
using namespace pm::onc;

constexpr char help[] =
    "[-h HOST] [-p PORT] [-s PATH] [-t MS]\n"
    "  -h HOST  whose port mapper (default: this host's, over its Unix socket)\n"
    "  -p PORT  its port (default 111)\n"
    "  -s PATH  its Unix socket (default /run/rpcbind.sock; empty: over loopback)\n"
    "  -t MS    how long it may take (default 10000; 0: for ever)\n"
    "exit codes: 0 1 99 100 101 111\n";

/** What somebody else has written, as a field of a line. */
void add_field(List<char> &out, std::string_view field, char end) noexcept {
  for (char const c : field)
    if (!out.append(has_control({&c, 1}) ? '?' : c)) die_no_memory();
  if (!out.append(end)) die_no_memory();
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-getmaps", argc, argv, help);
  Options options(argc, argv, "h:p:s:t:", help);
  Target target;
  for (int letter; (letter = options.next()) >= 0;) target.read_option(options, letter);
  (void)options.arguments(0, 0);

  auto const mapper = target.mapper();
  List<char> text;
  auto const got = pmap_getmaps(
      mapper,
      [&](Binding const &row) noexcept {
        add_field(text, (Text<12>() << row.program).view(), '\t');
        add_field(text, (Text<12>() << row.version).view(), '\t');
        auto const id = netid(row.netid);
        auto const address = id ? address_of(*id, row.address) : std::nullopt;
        // A port mapper may have what is no address: it is shown as it stands.
        auto const raw = Text<2 * text_max + 2>(row.netid) << ':' << row.address;
        add_field(text, address ? address->text() : raw.view(), '\t');
        add_field(text, row.owner, '\n');
      },
      target.deadline());
  if (!got) target.die(got.error(), "list the programs", "");
  print_or_die(text);
  return exits::done;
}
