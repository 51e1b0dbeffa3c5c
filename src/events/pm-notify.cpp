// Send an event to a fifodir; print how many listeners got it.

#include <fcntl.h>
#include <pm/base/program.h>
#include <pm/fifodir/notify.h>

namespace {
constexpr char help[] =
    "FIFODIR MESSAGE\n"
    "MESSAGE: 1 to 4096 bytes\n"
    "exit codes: 0 1 100 101 111\n";
}

int main(int argc, char const *const *argv) {
  using namespace pm;
  start("pm-notify", argc, argv, help);
  Options options(argc, argv, "", help);
  while (options.next() >= 0) {
  }
  char const *const *const arguments = options.arguments(2, 2);
  std::string_view const message = arguments[1];
  if (message.empty()) options.refuse("an event has at least one byte");
  if (message.size() > fifodir::message_max) options.refuse("an event has at most 4096 bytes");
  auto const reached = fifodir::notify(AT_FDCWD, arguments[0], message);
  if (!reached) die_sys(reached.error(), arguments[0]);
  Text<16> const count = Text<16>() << *reached << '\n';
  List<char> line;
  if (!append(line, count.view())) die_no_memory();
  print_or_die(line);
  return *reached ? exits::done : exits::no;
}
