// Register, then execute the server. Without PROG, hold the registration until a signal comes or the registration is removed. With -P,
// register another process and leave a holder for it.

#include <unistd.h>
#include <utility>
#include "cli/keep.h"
#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/registry_options.h"
#include "cli/rpc_options.h"
#include "libpm/os/process.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct RegCommand {
  char const *registry = Tree::default_path();
  uint32_t version = 0;
  pid_t process = 0; /**< -P; 0: none */
  bool exclusive = false, is_onc = false;
  Keeping keeping;
  List<char const *> more;
  List<char> names; /**< the text of /etc/rpc; the requests view it */
  List<WantedRegistration> requests;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-reg",
             .operands = "SERVICE ADDRESS [PROG...]",
             .exits = "0 1 99 100 101 111 126 127",
             .notes = "ADDRESS: tcp:HOST:PORT tcp6:[HOST]:PORT udp:... udp6:... local:/PATH local:@NAME fd:N none\n"},
    registry_option<&RegCommand::registry>(),
    option<as_number<>, &RegCommand::version>('V', "VERSION", "the version (default 0: none)"),
    rpc::program_option<&RegCommand::is_onc>(),
    flag<&RegCommand::exclusive>('x', "refuse if the service has another registration"),
    flag<&RegCommand::keeping, &Keeping::is_public>('p', "make the executable known"),
    option<as_descriptor, &RegCommand::keeping, &Keeping::ready>(
        'N', "FD", "register once PROG has written a newline to FD; without PROG, write one when registered"),
    option<as_pid, &RegCommand::process>('P', "PID", "register process PID, which runs already, until it ends").excludes("Nie"),
    flag<&RegCommand::keeping, &Keeping::inherit>('i', "PROG inherits the token: no process holds it for PROG"),
    flag<&RegCommand::keeping, &Keeping::until_end>('e', "without PROG: end when standard input ends"),
    service_option<&RegCommand::keeping, &Keeping::route>(), timeout_option<&RegCommand::keeping, &Keeping::timeout>(),
    option<as_origin, &RegCommand::keeping, &Keeping::origin>(
        'H', "HOST", "the registration is imported from HOST; only the registry's owner may say so")
        .excludes("S"),
    option<as_text, &RegCommand::more>('a', "SERVICE=ADDRESS", "register this too: all or none").as(Form::repeated));

void want(RegCommand &command, std::string_view service, Argument const &address) noexcept {
  WantedRegistration request;
  request.version = command.version;
  request.exclusive = command.exclusive;
  request.service = command.is_onc ? rpc::program_argument(service, command.names) : service_argument(service);
  as_address(address, request.address);
  if (!command.requests.append(request)) die_no_memory();
}

/** Ends the program after a refusal of a registration, or an error. */
[[noreturn]] void die_unregistered(Failure failure, RegCommand const &command) noexcept {
  auto *const refusal = std::get_if<Refusal>(&failure);
  bool const is_of_process = refusal && (refusal->reason == Refusal::no_process || refusal->reason == Refusal::foreign_process);
  if (is_of_process) refusal->limit = static_cast<uint32_t>(command.process);
  die_failure(failure, "register", refusal ? command.requests[refusal->index].service : "", command.registry);
}

/** Registers this process, or that of a pidfd. Ends the program with 0 if `stop` becomes readable first. */
NewRegistrations add(Tree const &tree, RegCommand const &command, RegistrationTerms const &terms, Limit limit,
                     int process = -1) noexcept {
  Change change(tree, command.keeping.route, limit, command.keeping.absent());
  auto made = change.add({command.requests.begin(), command.requests.size()}, terms, process);
  if (made) return std::move(*made);
  auto const *error = std::get_if<SysError>(&made.error());
  if (error && error->code == ECANCELED) ::_exit(exits::done);
  die_unregistered(made.error(), command);
}

/** The terms of a registration of a process that runs its program already; `exe` has the name of that. */
RegistrationTerms terms_now(Keeping const &keeping, char const *holder, pid_t pid, Executable &exe) noexcept {
  if (keeping.is_public)
    if (auto const found = executable(pid)) exe = *found;
  return {.holder = holder,
          .is_public = keeping.is_public,
          .exe = exe.path.view(),
          .deleted = exe.deleted,
          .origin = keeping.origin.value_or("")};
}

/** Registers process -P, and leaves a holder for it. `arguments`: the last ones of this process. */
int register_running(Tree const &tree, RegCommand const &command, char const *const *arguments, Limit limit) noexcept {
  auto process = process_fd(command.process);
  int const code = process ? 0 : process.error().code;
  // EINVAL, and ENOENT since Linux 6.9: it is the number of a thread.
  if (code == ESRCH || code == EINVAL || code == ENOENT) die_unregistered(Refusal{Refusal::no_process}, command);
  if (code) die_sys(process.error(), (Text<16>() << command.process).view());
  Executable exe;
  RegistrationTerms const terms = terms_now(command.keeping, "child", command.process, exe);
  auto made = add(tree, command, terms, limit, process->get());
  leave_holder(tree, command.keeping, std::move(made), std::move(*process), command.process, arguments);
  return exits::done;
}

} // namespace

int main(int argc, char const *const *argv) {
  RegCommand command;
  char const *const *const operands = command_line.read(argc, argv, command), *const *const program = operands + 2;
  Keeping const &keeping = command.keeping;
  if (!*program || keeping.ready == 2) check_readiness(keeping.ready);
  if (keeping.inherit && !*program) refuse("-i needs PROG");
  if (keeping.until_end && *program) refuse("-e and PROG exclude each other");
  if (command.process && *program) refuse("-P and PROG exclude each other");
  want(command, operands[0], {"ADDRESS", operands[1]});
  for (std::string_view const text : command.more) {
    auto const [service, address, found] = cut(text, '=');
    if (!found) Argument{"-a", text}.refuse_unless("SERVICE=ADDRESS");
    want(command, service, {"-a", address});
  }

  ReadyPipe pipe = *program ? keeping.pipe() : ReadyPipe();
  auto const deadline = keeping.timeout.start();
  auto const tree = open_tree(command.registry, keeping.timeout.awaits(), deadline);
  if (keeping.origin && !tree.is_mine())
    die(exits::no, "unable to register ", operands[0], " in ", command.registry,
        ": refused: only the registry's owner may use -H");
  if (*program) return become_registered(tree, keeping, add(tree, command, keeping.terms(), deadline), std::move(pipe), program);

  if (command.process) return register_running(tree, command, operands, deadline);

  Signals const ends = trap_ends();
  Executable own;
  RegistrationTerms const terms = terms_now(keeping, "self", ::getpid(), own);
  return hold_until(ends, tree, keeping, add(tree, command, terms, {deadline, ends.fd()}));
}
