// Register, then become the server; or without one, hold the registration until told to end.

#include <fcntl.h>
#include <pm/base/process.h>
#include <pm/base/program.h>
#include <pm/base/ready_pipe.h>
#include <pm/base/signals.h>
#include <pm/fifodir/inherited.h>
#include <pm/registry/arguments.h>
#include <pm/registry/holder.h>
#include <pm/registry/registrant.h>
#include <stdlib.h>
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

struct Wanted {
  char const *path = Registry::default_path();
  uint32_t version = 0, timeout = 10000;
  int ready = -1;
  Way way = Way::by_rights;
  bool exclusive = false, is_public = false, inherit = false, until_end = false;
  List<Request> requests;
  char const *const *program = nullptr; /**< its first word is NULL where there is none */
};

void want(Options const &options, Wanted &wanted, std::string_view service, std::string_view address) noexcept {
  if (!wanted.requests.append({service_argument(options, service), options.address(address), 0, false})) die_no_memory();
}

Wanted parse_command(int argc, char const *const *argv) noexcept {
  Options options(argc, argv, "r:V:xpN:ieSt:a:", help);
  Wanted wanted;
  List<std::string_view> more;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'r': wanted.path = options.value(); break;
      case 'V': wanted.version = options.value_number(); break;
      case 'x': wanted.exclusive = true; break;
      case 'p': wanted.is_public = true; break;
      case 'N': wanted.ready = options.value_descriptor(); break;
      case 'i': wanted.inherit = true; break;
      case 'e': wanted.until_end = true; break;
      case 'S': wanted.way = Way::service; break;
      case 't': wanted.timeout = options.value_number(); break;
      case 'a':
        if (!more.append(options.value())) die_no_memory();
        break;
    }
  char const *const *const arguments = options.arguments(2);
  wanted.program = arguments + 2;
  if (!*wanted.program || wanted.ready == 2) check_readiness(options, wanted.ready);
  if (wanted.inherit && !*wanted.program) options.refuse("-i needs PROG");
  if (wanted.until_end && *wanted.program) options.refuse("-e goes without PROG");
  want(options, wanted, arguments[0], arguments[1]);
  for (auto const text : more) {
    auto const [service, address, found] = cut(text, '=');
    if (!found) options.refuse((Text<512>("-a is no SERVICE=ADDRESS: ") << text).view());
    want(options, wanted, service, address);
  }
  for (Request &request : wanted.requests) {
    request.version = wanted.version;
    request.exclusive = wanted.exclusive;
  }
  return wanted;
}

/** `stop`: readable means that it is wanted no more; -1 is none. Then it ends with 0. */
Registration add(Registry const &registry, Wanted const &wanted, Terms const &terms, int stop = -1) noexcept {
  Editor editor(registry, wanted.way, Deadline::in(wanted.timeout), stop);
  auto made = editor.add({wanted.requests.begin(), wanted.requests.size()}, terms);
  if (made) return std::move(*made);
  auto const *error = std::get_if<SysError>(&made.error());
  if (error && error->code == ECANCELED) ::_exit(exits::done);
  auto const *refused = std::get_if<Refused>(&made.error());
  die_failure(made.error(), "register", refused ? wanted.requests[refused->index].service : "", wanted.path);
}

/** If it fails, no harm is done: the token is about to close, and with it the registration ends. */
void remove(Registry const &registry, Wanted const &wanted, List<Ticket> const &tickets) noexcept {
  (void)Editor(registry, wanted.way, Deadline::in(wanted.timeout)).remove({tickets.begin(), tickets.size()});
}

/** Without PROG: this process is the registrant and holds its own token. */
int hold(Wanted const &wanted, Registry const &registry) noexcept {
  auto const trapped = Signals::trap({SIGTERM, SIGINT, SIGHUP});
  if (!trapped) die_sys(trapped.error(), "");
  int const signals = trapped->fd();
  ::signal(SIGPIPE, SIG_IGN);

  Executable own;
  if (wanted.is_public)
    if (auto const found = executable(::getpid())) own = *found;
  Registration const made =
      add(registry, wanted, {.holder = "self", .is_public = wanted.is_public, .exe = own.path.view(), .deleted = own.deleted},
          signals);
  announce_readiness(wanted.ready);
  struct pollfd fds[] = {{signals, POLLIN, 0}, {made.token.get(), POLLIN, 0}, {wanted.until_end ? 0 : -1, POLLIN, 0}};
  for (;;) {
    if (sys::poll(fds, std::size(fds), -1) < 0) {
      if (errno == EINVAL) die_sys({errno, "wait for"}, "signals");
      continue; // EINTR or ENOMEM pass, and to end would end the registration
    }
    char buffer[4096];
    if (fds[0].revents && trapped->next()) break;
    if (fds[1].revents && was_released(made.token.get())) return exits::done;
    if (fds[2].revents && sys::read(0, buffer, sizeof buffer) <= 0) break;
  }
  remove(registry, wanted, made.tickets);
  return exits::done;
}

int run(Wanted const &wanted, Registry const &registry, ReadyPipe pipe) noexcept {
  bool const reserve = pipe.reading.valid();
  Registration made =
      add(registry, wanted, {.reserve = reserve, .holder = wanted.inherit ? "self" : "child", .is_public = wanted.is_public});
  Environment environment;
  HolderTask task;
  task.ready = std::move(pipe.reading);
  task.newline = wanted.ready >= 0;
  task.keep = reserve ? registry.dir() : -1;
  task.forward = std::move(pipe.outer);
  if (wanted.inherit) {
    auto const value = fifodir::leave_inherited(std::move(made.token), ::getenv(fifodir::inherited_variable));
    if (!value) {
      remove(registry, wanted, made.tickets);
      die_sys(value.error(), "to PROG");
    }
    environment.set(fifodir::inherited_variable, value->view());
  } else {
    task.token = std::move(made.token);
  }

  if (reserve || task.token.valid()) {
    pid_t const pid = ::getpid();
    auto const started = start_holder(std::move(task), [&](int process) noexcept {
      return publish_ready(registry, wanted.way, {made.tickets.begin(), made.tickets.size()}, wanted.is_public, pid, process);
    });
    if (!started) {
      remove(registry, wanted, made.tickets);
      die_sys(started.error(), started.error().code == ENOSYS ? "(it needs pidfd_open of Linux 5.3; -i does without)" : "");
    }
  }
  int const code = environment.exec(wanted.program);
  if (pipe.writing.valid()) (void)!sys::write(pipe.writing.get(), "x", 1);
  remove(registry, wanted, made.tickets);
  return code;
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-reg", argc, argv, help);
  Wanted const wanted = parse_command(argc, argv);
  ReadyPipe pipe;
  if (*wanted.program && (wanted.ready >= 0 || wanted.is_public)) {
    auto made = ReadyPipe::make(wanted.ready);
    if (!made) die_sys(made.error(), "of PROG");
    pipe = std::move(*made);
  }
  auto const registry = Registry::open(wanted.path);
  if (!registry) die_sys(registry.error(), wanted.path);
  return *wanted.program ? run(wanted, *registry, std::move(pipe)) : hold(wanted, *registry);
}
