// hold-as REGISTRY UID SERVICE ADDRESS [exclusive]: what the registry's service does for somebody else: registers for
// UID, with this process's pid, by the library; prints the ID once that is done; holds until standard input ends.

#include <unistd.h>
#include "cli/program.h"
#include "libpm/os/process.h"
#include "libpm/registry/add.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::registry;

int main(int argc, char const *const *argv) {
  PROG = "hold-as";
  if (argc < 5) die(exits::usage, "hold-as REGISTRY UID SERVICE ADDRESS [exclusive]");
  auto const tree = Tree::open(argv[1]);
  if (!tree) die_sys(tree.error(), argv[1]);
  WantedRegistration const request = {argv[3], Address::parse(argv[4]).value_or(Address()), 0, argc > 5};
  Registrant const who = {number<uid_t>(argv[2]).value_or(0), ::getpid(), start_time(::getpid()).value_or(0)};
  NewRegistrations held;
  {
    auto transaction = Transaction::begin(*tree, time_limit(10000));
    if (!transaction) die_sys(transaction.error(), argv[1]);
    auto made = add(*transaction, who, {&request, 1}, {});
    if (!made) {
      if (auto const *refused = std::get_if<Refusal>(&made.error())) die(exits::no, explain(*refused).view());
      die_sys(std::get<SysError>(made.error()), argv[1]);
    }
    held = static_cast<NewRegistrations &&>(*made);
  }
  List<char> line;
  if (!append(line, held.tickets[0].id.view()) || !append(line, "\n")) return exits::system;
  print_or_die(line);
  for (char byte; sys::read(0, &byte, 1) > 0;) {
  }
  return 0;
}
