// Wait for a service, or for an event in any fifodir; start a program once nothing can be missed any more.

#include <pm/base/program.h>
#include <pm/base/spawn.h>
#include <pm/events/listening.h>
#include <pm/registry/arguments.h>
#include <pm/rpc/names.h>
#include <unistd.h>

namespace {

using namespace pm;
using namespace pm::events;

constexpr char help[] =
    "[-r REGISTRY | -s PATH] [-u USER | -a] [-V VERSION] [-o] [-S] [-t MS] up|down|change SERVICE [PROG...]"
    " | pm-wait -f [-s PATH] [-t MS] FIFODIR REGEX [PROG...]\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -s PATH      through the pm-listend service on this socket, and not through a child\n"
    "  -u USER      believe this user's registrations only, and not root's, the registry owner's and one's own\n"
    "  -a           believe everybody's\n"
    "  -V VERSION   only this version\n"
    "  -o           SERVICE is an ONC program, by number or name\n"
    "  -S           subscribe through the registry's service, even as its owner\n"
    "  -t MS        how long to wait (default 0: for ever)\n"
    "  -f           wait for an event in FIFODIR: for what has come to match REGEX\n"
    "exit codes: 0 99 100 101 111 126 127\n";

struct Wanted {
  Request request;
  char const *registry = nullptr, *service = nullptr;
  registry::Way way = registry::Way::by_rights;
  List<char> names;                     /**< of ONC programs, which the request views */
  char const *const *program = nullptr; /**< its first word is NULL where there is none */
};

Wanted parse_command(int argc, char const *const *argv) noexcept {
  Options options(argc, argv, "r:s:u:aV:oSt:f", help);
  Wanted wanted;
  Request &request = wanted.request;
  bool fifodir = false, onc = false;
  int whose = 0;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 's': wanted.service = options.value(); break;
      case 'u':
      case 'a': registry::read_whose_option(options, letter, request.whose, whose); break;
      case 'V': request.version = options.value_number(); break;
      case 'o': onc = true; break;
      case 't': request.timeout = options.value_number(); break;
      case 'f': fifodir = true; break;
      default: registry::read_registry_option(options, letter, wanted.registry, &wanted.way);
    }
  if (wanted.service && (wanted.registry || wanted.way == registry::Way::service))
    options.refuse("-s goes without -r and -S: a service has a registry of its own");
  if (fifodir && (whose || request.version || wanted.registry || onc)) options.refuse("-f goes without -r, -u, -a, -V and -o");
  char const *const *const arguments = options.arguments(2);
  wanted.program = arguments + 2;
  if (fifodir) {
    request.kind = Kind::event;
    request.what = arguments[0];
    request.pattern = arguments[1];
    if (request.what.empty() || request.pattern.empty()) options.refuse("FIFODIR and REGEX have at least one byte");
  } else {
    auto const asked = kind(arguments[0]);
    if (!asked || *asked == Kind::event) options.refuse((Text<512>("neither up, down nor change: ") << arguments[0]).view());
    request.kind = *asked;
    request.what =
        onc ? onc::program_argument(options, arguments[1], wanted.names) : registry::service_argument(options, arguments[1]);
  }
  return wanted;
}

/** A child says by itself what is wrong: the cause on standard error is its own. */
[[noreturn]] void die_failed(Wanted const &wanted, SysError error) noexcept {
  if (error.code == ECONNRESET)
    die(exits::system, "unable to wait for ", wanted.request.what, ": ", wanted.service ? wanted.service : "pm-listend",
        " ended without an answer");
  if (error.code == ETIMEDOUT) die_sys({ETIMEDOUT, "wait for"}, wanted.request.what);
  die_sys(error, wanted.service ? wanted.service : "");
}

/** The event's bytes, a line; or the records, an empty line between two. */
void print(Listening const &listening, bool lines) noexcept {
  List<char> text;
  listening.each_answer([&](std::string_view part) noexcept {
    if ((!lines && !text.empty() && !append(text, "\n")) || !append(text, part) || (lines && !append(text, "\n")))
      die_no_memory();
  });
  if (lines && text.empty() && !append(text, "\n")) die_no_memory(); // it matched no bytes
  print_or_die(text);
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-wait", argc, argv, help);
  Wanted const wanted = parse_command(argc, argv);
  auto const deadline = Deadline::in(wanted.request.timeout);
  Spawner const spawner;
  auto listening = wanted.service ? Listening::by_service(wanted.request, wanted.service, deadline)
                                  : Listening::by_child(wanted.request, wanted.registry, wanted.way);
  if (!listening) die_failed(wanted, listening.error());
  if (auto const begun = listening->begun(deadline); !begun) die_failed(wanted, begun.error());
  if (*wanted.program)
    if (auto const started = spawner.start(wanted.program, environ, {}); !started)
      return not_executed(*wanted.program, started.error().code);
  if (auto const answered = listening->wait(deadline); !answered) die_failed(wanted, answered.error());
  print(*listening, wanted.request.kind == Kind::event);
  return exits::done;
}
