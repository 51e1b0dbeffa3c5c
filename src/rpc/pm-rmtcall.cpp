// Call an ONC program through a port mapper: arguments on standard input, results on standard output.

#include "cli/rpc_options.h"
#include "libpm/os/sys.h"

namespace {

using namespace pm;
using namespace pm::rpc;

struct RmtcallSettings {
  MapperSettings asked;
  bool hex = false;
};

constexpr CommandLine command_line(
    Synopsis{
        .program = "pm-rmtcall", .operands = "PROGRAM VERSION PROCEDURE", .exits = "0 1 99 100 101 111", .notes = program_note},
    mapper_options<&RmtcallSettings::asked>(),
    flag<&RmtcallSettings::hex>('x', "read arguments and write results in hexadecimal, not as bytes"));

/** Reads standard input to its end, or until it has more than `most` bytes, too many to send. */
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

List<char> from_hex(List<char> const &text) noexcept {
  List<char> bytes;
  int high = -1;
  for (char const c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    int const value = digit(c);
    if (value < 0) refuse("standard input is not hexadecimal");
    if (high >= 0 && !bytes.append(static_cast<char>(high * 16 + value))) die_no_memory();
    high = high < 0 ? value : -1;
  }
  if (high >= 0) refuse("standard input ends with half a byte");
  return bytes;
}

List<char> to_hex(List<char> const &bytes) noexcept {
  List<char> text;
  for (char const c : bytes) {
    Text<4> byte;
    append_hexadecimal(byte, static_cast<unsigned char>(c), 2);
    if (!append(text, byte.view())) die_no_memory();
  }
  if (!text.empty() && !text.append('\n')) die_no_memory();
  return text;
}

} // namespace

int main(int argc, char const *const *argv) {
  RmtcallSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  auto &[asked, hex] = settings;
  auto const [program, version] = program_and_version(operands);
  uint32_t const procedure = number_from({"PROCEDURE", operands[2]}, 0, UINT32_MAX);
  auto const input = read_input(hex ? 4 * forwarded_max : forwarded_max);
  auto const sent = hex ? from_hex(input) : List<char>();
  auto const &bytes = hex ? sent : input;

  asked.find_host();
  auto const answer = pmap_rmtcall(asked.mapper, program, version, procedure, {bytes.begin(), bytes.size()}, asked.deadline);
  if (!answer) asked.die(answer.error(), "call", operands[0]);
  if (hex) print_or_die(to_hex(answer->results));
  else print_or_die(answer->results);
  return exits::done;
}
