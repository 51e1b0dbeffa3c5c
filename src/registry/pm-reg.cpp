// Register, then become the server; or without one, hold the registration until told to end.

#include <pm/base/process.h>
#include <pm/base/program.h>
#include <pm/registry/arguments.h>
#include <pm/registry/keep.h>
#include <unistd.h>
#include <utility>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] [-V VERSION] [-x] [-p] [-N FD] [-i] [-e] [-S] [-t MS] [-a SERVICE=ADDRESS]... SERVICE ADDRESS [PROG...]\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -V VERSION   the version registered (default: 0, none)\n"
    "  -x           exclusive: refused if it is registered, as is whoever comes later\n"
    "  -p           public: make PROG's executable known\n"
    "  -N FD        be seen only once PROG has written a newline to FD; without PROG, write one when registered\n"
    "  -i           PROG inherits the token: no process holds it for PROG\n"
    "  -e           without PROG: end with standard input, too\n"
    "  -S           through the registry's service, even as its owner\n"
    "  -t MS        how long it may take (default 10000; 0: for ever)\n"
    "  -a SERVICE=ADDRESS  register this as well: all or none\n"
    "ADDRESS: tcp:HOST:PORT tcp6:[HOST]:PORT udp:... udp6:... local:/PATH local:@NAME fd:N none\n"
    "exit codes: 0 1 99 100 101 111 126 127\n";

struct Command {
  char const *path = Registry::default_path();
  uint32_t version = 0;
  bool exclusive = false;
  Keeping keeping;
  List<Request> requests;
  char const *const *program = nullptr; /**< its first word is NULL where there is none */
};

void want(Options const &options, Command &command, std::string_view service, std::string_view address) noexcept {
  if (!command.requests.append(
          {service_argument(options, service), options.address(address), command.version, command.exclusive}))
    die_no_memory();
}

void parse_command(Options &options, Command &command) noexcept {
  Keeping &keeping = command.keeping;
  List<std::string_view> more;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'r': command.path = options.value(); break;
      case 'S': keeping.way = Way::service; break;
      case 'V': command.version = options.value_number(); break;
      case 'x': command.exclusive = true; break;
      case 'p': keeping.is_public = true; break;
      case 'N': keeping.ready = options.value_descriptor(); break;
      case 'i': keeping.inherit = true; break;
      case 'e': keeping.until_end = true; break;
      case 't': keeping.timeout = options.value_number(); break;
      case 'a':
        if (!more.append(options.value())) die_no_memory();
        break;
    }
  char const *const *const arguments = options.arguments(2);
  command.program = arguments + 2;
  if (!*command.program || keeping.ready == 2) check_readiness(options, keeping.ready);
  if (keeping.inherit && !*command.program) options.refuse("-i needs PROG");
  if (keeping.until_end && *command.program) options.refuse("-e goes without PROG");
  want(options, command, arguments[0], arguments[1]);
  for (auto const text : more) {
    auto const [service, address, found] = cut(text, '=');
    if (!found) options.refuse((Text<512>("-a is no SERVICE=ADDRESS: ") << text).view());
    want(options, command, service, address);
  }
}

/** `stop`: readable means that it is wanted no more; -1 is none. Then it ends with 0. */
Registration add(Registry const &registry, Command const &command, Terms const &terms, int stop) noexcept {
  Editor editor(registry, command.keeping.way, Deadline::in(command.keeping.timeout), stop);
  auto made = editor.add({command.requests.begin(), command.requests.size()}, terms);
  if (made) return std::move(*made);
  if (is_cancelled(made.error())) ::_exit(exits::done);
  auto const *refused = std::get_if<Refused>(&made.error());
  die_failure(made.error(), "register", refused ? command.requests[refused->index].service : "", command.path);
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-reg", argc, argv, help);
  Options options(argc, argv, "r:V:xpN:ieSt:a:", help);
  Command command;
  parse_command(options, command);
  Keeping const &keeping = command.keeping;
  bool const becomes = *command.program;
  ReadyPipe pipe = becomes ? keeping.pipe() : ReadyPipe();
  auto const registry = Registry::open(command.path);
  if (!registry) die_sys(registry.error(), command.path);
  if (becomes)
    return become_registered(*registry, keeping, add(*registry, command, keeping.terms(), -1), std::move(pipe), command.program);

  Signals const ends = trap_ends();
  Executable own;
  if (keeping.is_public)
    if (auto const found = executable(::getpid())) own = *found;
  Terms const terms = {.holder = "self", .is_public = keeping.is_public, .exe = own.path.view(), .deleted = own.deleted};
  return hold_until(ends, *registry, keeping, add(*registry, command, terms, ends.fd()));
}
