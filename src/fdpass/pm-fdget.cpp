// Get descriptors from a store, then become the program that has them.

#include <pm/base/listen_fds.h>
#include <pm/fdstore/client.h>
#include <utility>

namespace {

using namespace pm;
using namespace pm::fdstore;

constexpr char help[] =
    "[-s ADDRESS] [-D] [-d FD] [-t MS] NAME[,NAME]... PROG...\n"
    "  -s ADDRESS  where the store is asked (default: $PM_FDSTORE, or /run/pm-fdstore/socket)\n"
    "  -D          take it out of the store\n"
    "  -d FD       the number of the descriptor, of one NAME (default 0)\n"
    "  -t MS       wait until there is one, so long for all of them (0: for ever; default: do not wait)\n"
    "several NAMEs: descriptors 3 and up, with LISTEN_FDS, LISTEN_FDNAMES and PM_FD_NAME\n"
    "exit codes: 0 1 99 100 101 111 126 127\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-fdget", argc, argv, help);
  Options options(argc, argv, "s:Dd:t:", help);
  Client client;
  Get question;
  int fd = -1;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'D': question.remove = true; break;
      case 'd': fd = options.value_descriptor(); break;
      case 't': question.wait = true; [[fallthrough]];
      default: client.read_option(options, letter);
    }
  char const *const *const arguments = options.arguments(2);
  std::string_view names[listen_fds_max];
  Fd fds[listen_fds_max];
  size_t count = 0;
  for (Cut rest = {{}, arguments[0], true}; rest.found; ++count) {
    rest = cut(rest.tail, ',');
    if (count == listen_fds_max) options.refuse("more than 64 names");
    names[count] = name_argument(options, rest.head);
  }
  if (count > 1 && fd >= 0) options.refuse("-d is for one name");

  for (size_t i = 0; i < count; ++i) {
    Got got;
    question.name = names[i];
    if (auto const refused = client.ask(question, got)) die_refused("get", names[i], *refused);
    if (!got.fd.valid()) die(exits::system, "unable to get ", names[i], ": no descriptor came");
    fds[i] = std::move(got.fd);
  }
  int const first = count > 1 ? listen_fds_start : fd >= 0 ? fd : 0;
  if (auto const placed = place_fds(count, first, [&](size_t i) noexcept -> Fd & { return fds[i]; }); !placed)
    die_sys(placed.error(), arguments[1]);
  Environment environment;
  if (count > 1) give_listen_fds(environment, {names, count});
  else environment.set(shell_name(names[0]).c_str(), (Text<16>() << first).view());
  return environment.exec(arguments + 1);
}
