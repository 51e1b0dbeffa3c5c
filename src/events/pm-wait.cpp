// Wait for a service, or for an event in a fifodir. Start PROG once the listener listens, so that no later event is missed.

#include <unistd.h>
#include "cli/program.h"
#include "cli/registry_options.h"
#include "cli/rpc_options.h"
#include "libpm/os/spawn.h"
#include "libpm/registry/listend_client.h"
#include "libpm/util/escape.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct WaitCommand {
  WaitRequest request;
  char const *registry = nullptr, *service = nullptr;
  Route route = Route::direct;
  bool is_onc = false, is_fifodir = false;
  List<char> names;                     /**< the text of /etc/rpc; the request views it */
  char const *const *program = nullptr; /**< PROG; its first word is NULL if PROG is absent */
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-wait",
             .operands = "up|down|change SERVICE [PROG...]",
             .exits = "0 99 100 101 111 126 127",
             .second = "-f [-s PATH] [-t MS] FIFODIR REGEX [PROG...]"},
    registry_option<&WaitCommand::registry>(),
    option<as_text, &WaitCommand::service>('s', "PATH",
                                           "ask the pm-listend service on this socket, instead of starting pm-listend")
        .as(Form::alternative)
        .excludes("rS"),
    trust_options<&WaitCommand::request, &WaitRequest::trust>(), version_option<&WaitCommand::request, &WaitRequest::version>(),
    rpc::program_option<&WaitCommand::is_onc>(), service_option<&WaitCommand::route>(),
    option<as_number<>, &WaitCommand::request, &WaitRequest::timeout>('t', "MS", "the time limit (default 0: none)"),
    flag<&WaitCommand::is_fifodir>('f', "wait for an event in FIFODIR that matches REGEX").as(Form::unlisted).excludes("ruaVo"));

WaitCommand parse_command(int argc, char const *const *argv) noexcept {
  WaitCommand wanted;
  char const *const *const operands = command_line.read(argc, argv, wanted);
  wanted.program = operands + 2;
  WaitRequest &request = wanted.request;
  if (wanted.is_fifodir) {
    request.kind = WaitFor::event;
    request.what = operands[0];
    request.pattern = operands[1];
    if (request.what.empty() || request.pattern.empty()) refuse(request.what.empty() ? "FIFODIR" : "REGEX", " is empty");
  } else {
    auto const asked = kind(operands[0]);
    if (!asked || *asked == WaitFor::event) refuse("expected up, down or change: ", operands[0]);
    request.kind = *asked;
    request.what = wanted.is_onc ? rpc::program_argument(operands[1], wanted.names) : service_argument(operands[1]);
  }
  return wanted;
}

/** Prints no cause if pm-listend ended without an answer: a child has printed the cause on the same standard error. */
[[noreturn]] void die_failed(WaitCommand const &wanted, SysError error) noexcept {
  if (error.code == ECONNRESET)
    die(exits::system, "unable to wait for ", wanted.request.what, ": ", wanted.service ? wanted.service : "pm-listend",
        " ended without an answer");
  if (error.code == ETIMEDOUT) die_sys({ETIMEDOUT, "wait for"}, wanted.request.what);
  die_sys(error, wanted.service ? wanted.service : "");
}

/** Prints the event's bytes as a line, or the records, of several lines each, with empty lines between them. */
void print(ListendClient const &listening, bool is_event) noexcept {
  List<char> text;
  listening.each_answer([&](std::string_view part) noexcept {
    bool fits = is_event || text.empty() || append(text, "\n");
    for (Cut rest = {{}, part, !is_event}; fits && rest.found && !rest.tail.empty();) {
      rest = cut(rest.tail, '\n');
      fits = append_escaped(text, rest.head) && append(text, "\n");
    }
    if (!fits || (is_event && (!append_escaped(text, part) || !append(text, "\n")))) die_no_memory();
  });
  if (is_event && text.empty() && !append(text, "\n")) die_no_memory(); // the expression matched no bytes
  print_or_die(text);
}

} // namespace

int main(int argc, char const *const *argv) {
  WaitCommand const wanted = parse_command(argc, argv);
  auto const deadline = Deadline::in(wanted.request.timeout);
  Spawner const spawner;
  auto listening = wanted.service ? ListendClient::by_service(wanted.request, wanted.service, deadline)
                                  : ListendClient::by_child(wanted.request, wanted.registry, wanted.route);
  if (!listening) die_failed(wanted, listening.error());
  if (auto const begun = listening->begun(deadline); !begun) die_failed(wanted, begun.error());
  if (*wanted.program)
    if (auto const started = spawner.start(wanted.program, environ, {}); !started)
      return not_executed(*wanted.program, started.error().code);
  if (auto const answered = listening->wait(deadline); !answered) die_failed(wanted, answered.error());
  print(*listening, wanted.request.kind == WaitFor::event);
  return exits::done;
}
