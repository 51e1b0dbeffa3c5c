// Wait for services, or for an event in a fifodir. Start PROG once the listener listens, so that no later event is missed.

#include <unistd.h>
#include "cli/program.h"
#include "cli/registry_options.h"
#include "cli/rpc_options.h"
#include "libpm/os/spawn.h"
#include "libpm/registry/listend_client.h"
#include "libpm/util/escape.h"
#include "libpm/util/expression.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct WaitCommand {
  WaitRequest request;
  char const *registry = nullptr, *service = nullptr;
  Route route = Route::direct;
  std::optional<uint32_t> timeout;
  bool any = false, is_onc = false, is_fifodir = false;
  List<char> names;                     /**< the text of /etc/rpc */
  List<char> services;                  /**< the services in the request, which views it */
  char const *object = nullptr;         /**< the operand that names what is awaited, for messages */
  char const *const *program = nullptr; /**< PROG; its first word is NULL if PROG is absent */
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-wait",
             .operands = "up|down|change SERVICE[,SERVICE]... [PROG...]",
             .exits = "0 99 100 101 111 126 127",
             .second = "-f [-s PATH] [-t MS] FIFODIR REGEX [PROG...]"},
    registry_option<&WaitCommand::registry>(),
    option<as_text, &WaitCommand::service>('s', "PATH",
                                           "ask the pm-listend service on this socket, instead of starting pm-listend")
        .as(Form::alternative)
        .excludes("rS"),
    flag<&WaitCommand::any>('o', "wait for any of the services, and not for all of them"),
    trust_options<&WaitCommand::request, &WaitRequest::trust>(), version_option<&WaitCommand::request, &WaitRequest::version>(),
    rpc::program_option<&WaitCommand::is_onc>(), service_option<&WaitCommand::route>(),
    option<as_number<>, &WaitCommand::timeout>(
        't', "MS", "the time limit (0: none); it also covers waiting for a missing registry, or a missing pm-listend at PATH"),
    flag<&WaitCommand::is_fifodir>('f', "wait for an event in FIFODIR that matches REGEX").as(Form::unlisted).excludes("ruaVco"));

/** Reads the operand SERVICE[,SERVICE]... into the request. */
void read_services(WaitCommand &wanted) noexcept {
  List<char> &services = wanted.services;
  Argument const operand{"SERVICE", wanted.object};
  for (Cut rest = {{}, operand.text, true}; rest.found;) {
    rest = cut(rest.tail, AwaitedServices::all_of);
    if (rest.head.empty() && operand.text.size() > 0) operand.refuse("an empty name");
    auto const name = wanted.is_onc ? rpc::program_argument(rest.head, wanted.names) : service_argument(rest.head);
    char const separator = wanted.any ? AwaitedServices::any_of : AwaitedServices::all_of;
    if ((!services.empty() && !services.append(separator)) || !append(services, name)) die_no_memory();
  }
  wanted.request.what = {services.begin(), services.size()};
  if (wanted.request.what.size() >= field_max) refuse("SERVICE has more than 4095 bytes");
}

WaitCommand parse_command(int argc, char const *const *argv) noexcept {
  WaitCommand wanted;
  char const *const *const operands = command_line.read(argc, argv, wanted);
  wanted.program = operands + 2;
  wanted.object = operands[wanted.is_fifodir ? 0 : 1];
  WaitRequest &request = wanted.request;
  request.timeout = wanted.timeout.value_or(0);
  if (wanted.is_fifodir) {
    request.kind = WaitFor::event;
    request.what = wanted.object;
    request.pattern = operands[1];
    if (request.what.empty() || request.pattern.empty()) refuse(request.what.empty() ? "FIFODIR" : "REGEX", " is empty");
    // pm-listend refuses it, too, but a service cannot tell the reason.
    if (auto const expression = Expression::parse(request.pattern); !expression)
      die(exits::system, "invalid REGEX: ", expression.error());
  } else {
    auto const asked = kind(operands[0]);
    if (!asked || *asked == WaitFor::event) refuse("expected up, down or change: ", operands[0]);
    request.kind = *asked;
    read_services(wanted);
  }
  return wanted;
}

/** Prints no cause if pm-listend ended without an answer: a child has printed the cause on the same standard error. */
[[noreturn]] void die_failed(WaitCommand const &wanted, SysError error) noexcept {
  if (error.code == ECONNRESET)
    die(exits::system, "unable to wait for ", wanted.object, ": ", wanted.service ? wanted.service : "pm-listend",
        " ended without an answer");
  if (error.code == ETIMEDOUT) die_sys({ETIMEDOUT, "wait for"}, wanted.object);
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
  auto const deadline = time_limit(wanted.request.timeout);
  auto const absent = wanted.timeout ? Change::Absent::is_awaited : Change::Absent::fails;
  Spawner spawner;
  auto listening = wanted.service ? ListendClient::by_service(wanted.request, wanted.service, deadline, absent)
                                  : ListendClient::by_child(wanted.request, wanted.registry, wanted.route, absent);
  if (!listening) die_failed(wanted, listening.error());
  if (auto const begun = listening->begun(deadline); !begun) die_failed(wanted, begun.error());
  if (*wanted.program)
    if (auto const started = spawner.start(wanted.program, environ, {}); !started)
      return not_executed(*wanted.program, started.error().code);
  if (auto const answered = listening->wait(deadline); !answered) die_failed(wanted, answered.error());
  print(*listening, wanted.request.kind == WaitFor::event);
  return exits::done;
}
