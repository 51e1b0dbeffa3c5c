// Keep a descriptor in a store, under a name.

#include <fcntl.h>
#include <pm/fdstore/client.h>

namespace {

using namespace pm;
using namespace pm::fdstore;

constexpr char help[] =
    "[-s ADDRESS] [-t MS] [-d FD] [-x MS] NAME\n"
    "  -s ADDRESS  where the store is asked (default: $PM_FDSTORE, or /run/pm-fdstore/socket)\n"
    "  -t MS       how long it may take (default 10000; 0: for ever)\n"
    "  -d FD       which descriptor (default 0)\n"
    "  -x MS       for how long it is kept (default: until it is taken out)\n"
    "exit codes: 0 1 99 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-fdstore", argc, argv, help);
  Options options(argc, argv, "s:t:d:x:", help);
  Client client;
  Store question;
  int fd = 0;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'd': fd = options.value_descriptor(); break;
      case 'x': question.lifetime = options.value_number(1); break;
      default: client.read_option(options, letter);
    }
  question.name = name_argument(options, options.arguments(1, 1)[0]);
  // What holds the number of one that came closed is close-on-exec, which nothing is that came by exec.
  int const flags = sys::fcntl(fd, F_GETFD);
  if (flags < 0 || flags & FD_CLOEXEC) die_sys({EBADF, "store"}, (Text<32>("descriptor ") << fd).view());
  Lent const lent(question.fd, fd);
  Finished finished;
  if (auto const refused = client.ask(question, finished)) die_refused("store", question.name, *refused);
  return exits::done;
}
