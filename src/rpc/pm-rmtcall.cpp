// Have a port mapper call an ONC program: arguments on standard input, results on standard output.

#include <pm/base/fd.h>
#include <pm/rpc/arguments.h>

namespace {

using namespace pm;
using namespace pm::onc;

constexpr char help[] =
    "[-h HOST] [-p PORT] [-t MS] [-x] PROGRAM VERSION PROCEDURE\n"
    "  -h HOST  whose port mapper (default: this host's)\n"
    "  -p PORT  its port (default 111)\n"
    "  -t MS    how long it may take (default 10000; 0: for ever)\n"
    "  -x       arguments and results are hexadecimal, and not bytes\n"
    "PROGRAM: a number, or a name in /etc/rpc\n"
    "exit codes: 0 1 99 100 101 111\n";

/** All of standard input, or one byte more than can be sent. */
List<char> read_input(size_t most) noexcept {
  List<char> input;
  while (input.size() <= most) {
    char bytes[4096];
    ssize_t const n = sys::read(0, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) die_sys({errno, "read from"}, "standard input");
    if (n == 0) break;
    if (!append(input, {bytes, static_cast<size_t>(n)})) die_no_memory();
  }
  return input;
}

int digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  c = static_cast<char>(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

List<char> from_hex(Options const &options, List<char> const &text) noexcept {
  List<char> bytes;
  int high = -1;
  for (char const c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    int const value = digit(c);
    if (value < 0) options.refuse("standard input is not hexadecimal");
    if (high >= 0 && !bytes.append(static_cast<char>(high * 16 + value))) die_no_memory();
    high = high < 0 ? value : -1;
  }
  if (high >= 0) options.refuse("standard input has half a byte at its end");
  return bytes;
}

List<char> to_hex(List<char> const &bytes) noexcept {
  List<char> text;
  for (char const c : bytes) {
    constexpr char digits[] = "0123456789abcdef";
    auto const byte = static_cast<unsigned char>(c);
    if (!text.append(digits[byte >> 4]) || !text.append(digits[byte & 15])) die_no_memory();
  }
  if (!text.empty() && !text.append('\n')) die_no_memory();
  return text;
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-rmtcall", argc, argv, help);
  Options options(argc, argv, "h:p:t:x", help);
  Target target;
  bool hex = false;
  for (int letter; (letter = options.next()) >= 0;) {
    if (letter == 'x') hex = true;
    target.read_option(options, letter);
  }
  char const *const *const arguments = options.arguments(3, 3);
  auto const [program, version] = program_and_version(options, arguments);
  uint32_t const procedure = number_argument(options, "procedure", arguments[2]);
  auto const input = read_input(hex ? 4 * forwarded_max : forwarded_max);
  auto const sent = hex ? from_hex(options, input) : List<char>();
  auto const &bytes = hex ? sent : input;

  auto const mapper = target.mapper();
  auto const answer = pmap_rmtcall(mapper, program, version, procedure, {bytes.begin(), bytes.size()}, target.deadline());
  if (!answer) target.die(answer.error(), "call", arguments[0]);
  if (hex) print_or_die(to_hex(answer->results));
  else print_or_die(answer->results);
  return exits::done;
}
