// with-credentials FD COMMAND...: COMMAND, where whatever is received from the socket FD, or from what it accepts, comes with
// who sent it, SO_PASSCRED of unix(7): SCM_CREDENTIALS, before any descriptor.

#include <sys/socket.h>
#include "cli/program.h"
#include "libpm/os/sys.h"
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

using namespace pm;

int main(int argc, char const *const *argv) {
  PROG = "with-credentials";
  if (argc < 3) die(exits::usage, "with-credentials FD COMMAND...");
  auto const fd = number<int>(argv[1]);
  int const yes = 1;
  if (!fd || sys::setsockopt(*fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0)
    die_sys({errno, "ask for credentials on"}, argv[1]);
  return execute(Environment(), argv + 2);
}
