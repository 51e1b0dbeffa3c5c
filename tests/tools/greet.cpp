// greet ADDRESS WORD: listens there (port 0: any), prints the address on descriptor 9 and closes it; says WORD and a newline to each
// that connects.

#include "bind_address.h"

#include <signal.h>
#include <unistd.h>
#include "libpm/util/skalibs.h"

using namespace pm;

int main(int argc, char const *const *argv) {
  PROG = "greet";
  if (argc < 3) die(exits::usage, "greet ADDRESS WORD");
  int const fd = bind_address(argv[1]);
  auto const where = Address::of_socket(fd);
  if (!where) die_sys(where.error(), argv[1]);
  (void)!::write(9, where->text().data(), where->text().size());
  (void)!::write(9, "\n", 1);
  ::close(9);
  ::signal(SIGPIPE, SIG_IGN);
  for (;;) {
    int const connection = ::accept(fd, nullptr, nullptr);
    if (connection < 0) continue;
    (void)!::write(connection, argv[2], strlen(argv[2]));
    (void)!::write(connection, "\n", 1);
    ::close(connection);
  }
}
