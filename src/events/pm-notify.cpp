// Send an event to a fifodir, and print the number of listeners that got it.

#include <fcntl.h>
#include "cli/command_line.h"
#include "libpm/fifodir/notify.h"
#include "libpm/util/text.h"

namespace {
constexpr pm::CommandLine command_line(pm::Synopsis{
    .program = "pm-notify", .operands = "FIFODIR MESSAGE", .exits = "0 1 100 101 111", .notes = "MESSAGE: 1 to 4096 bytes\n"});
}

int main(int argc, char const *const *argv) {
  using namespace pm;
  char const *const *const operands = command_line.read(argc, argv);
  std::string_view const message = operands[1];
  if (message.empty() || message.size() > fifodir::message_max) refuse("invalid MESSAGE (1 to 4096 bytes)");
  auto const reached = fifodir::notify(AT_FDCWD, operands[0], message);
  if (!reached) die_sys(reached.error(), operands[0]);
  Text<16> const count = Text<16>() << *reached << '\n';
  List<char> line;
  if (!append(line, count.view())) die_no_memory();
  print_or_die(line);
  return *reached ? exits::done : exits::no;
}
