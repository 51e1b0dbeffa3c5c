// bound ADDRESS PROG...: binds descriptor 3 there (port 0: any) and becomes PROG, with BOUND the address.

#include "bind_address.h"

#include <unistd.h>
#include "cli/program.h"
#include "libpm/util/skalibs.h"

using namespace pm;

int main(int argc, char const *const *argv) {
  PROG = "bound";
  if (argc < 3) die(exits::usage, "bound ADDRESS PROG...");
  int const fd = bind_address(argv[1]);
  if (fd != 3) ::dup2(fd, 3);
  auto const where = Address::of_socket(3);
  if (!where) die_sys(where.error(), argv[1]);
  Environment environment;
  environment.set("BOUND", where->text());
  return execute(environment, argv + 2);
}
