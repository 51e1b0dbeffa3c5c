// hello-on FD WORD: says WORD to each that connects to the socket that is descriptor FD, and closes.

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "cli/program.h"
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

using namespace pm;

int main(int argc, char const *const *argv) {
  PROG = "hello-on";
  if (argc < 3) die(exits::usage, "hello-on FD WORD");
  ::signal(SIGPIPE, SIG_IGN);
  int const listener = number<int>(argv[1]).value_or(-1);
  for (;;) {
    int const connection = ::accept(listener, nullptr, nullptr);
    if (connection < 0) {
      if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) die_sys({errno, "accept on"}, argv[1]);
      continue;
    }
    (void)!::write(connection, argv[2], strlen(argv[2]));
    ::close(connection);
  }
}
