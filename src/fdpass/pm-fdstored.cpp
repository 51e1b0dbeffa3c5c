// Keep descriptors, by name, for programs that come and go.

#include <pm/base/limits.h>
#include <pm/fdstore/server.h>
#include <pm/super/arguments.h>
#include <stdlib.h>
#include <utility>

namespace {

using namespace pm;
using namespace pm::fdstore;
using super::BindOptions, super::WorkerSocket, super::worker_socket_argument;

constexpr char help[] =
    "[-i DIR] [-w] [-c MAX] [-u MAX] [-t MS] [-a MODE] [-N FD] ADDRESS\n"
    "  -i DIR   who else may do what: the rules of pm-access, with PM_FDSTORE_STORE, PM_FDSTORE_GET, PM_FDSTORE_LIST\n"
    "  -w       be the worker of pm-superd -w at ADDRESS: clients are connections that it hands over\n"
    "  -c MAX   descriptors at a time (default 1000, at most 2048)\n"
    "  -u MAX   descriptors of one user whom a rule lets in (default 100)\n"
    "  -t MS    how long a client may be silent, or not read its answer (default 10000)\n"
    "  -a MODE  permissions of the path, in octal (default 777)\n"
    "  -N FD    write a newline to FD, and close it, when questions are answered\n"
    "ADDRESS: PATH local:PATH local:@NAME, or fd:N, a socket that listens\n"
    "exit codes: 0 100 101 111\n";

/** What the version before this one has left, FILE:SOCKET:DEVICE:INODE: numbers of descriptors, and of the path that it made. */
constexpr char inheritance[] = "PM_FDSTORED_STATE";

struct Inherited {
  int state = -1, socket = -1;
  dev_t device = 0;
  ino_t inode = 0;
};

Inherited inherited(Options const &options) noexcept {
  char const *const text = ::getenv(inheritance);
  if (!text) return {};
  uint64_t numbers[4] = {};
  Cut rest = {{}, text, true};
  for (auto &n : numbers) {
    rest = cut(rest.tail, ':');
    auto const read = number<uint64_t>(rest.head);
    if (!read) options.refuse((Text<512>("not what pm-fdstored leaves: ") << inheritance << '=' << text).view());
    n = *read;
  }
  return {static_cast<int>(numbers[0]), static_cast<int>(numbers[1]), numbers[2], numbers[3]};
}

/** The path is its own still, though the socket has another owner in this process. */
WorkerSocket take_over(Options const &options, Inherited const &from, std::string_view address) noexcept {
  auto socket = worker_socket_argument(options, (Text<32>("fd:") << from.socket).view(), {});
  if (!address.starts_with("fd:")) socket.name = LocalAddress::argument(options, address);
  socket.bound.device = from.device;
  socket.bound.inode = from.inode;
  return socket;
}

/** Becomes the program that is there now, under this one's name; returns if that cannot be. */
void execute(Server &server, WorkerSocket const &socket, char const *const *argv) noexcept {
  auto state = server.save();
  if (!state) return warn_sys(state.error(), argv[0]);
  Environment environment;
  environment.set(inheritance, (Text<96>() << state->get() << ':' << socket.bound.fd.get() << ':' << socket.bound.device << ':'
                                           << socket.bound.inode)
                                   .view());
  auto const variables = environment.merged();
  sys::exec(argv, variables.begin());
  warn_sys({errno, "execute"}, argv[0]);
  server.undo_save();
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-fdstored", argc, argv, help);
  Options options(argc, argv, "i:wc:u:t:a:N:", help);
  ServerOptions wanted;
  BindOptions binding;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'i': wanted.rules = options.value(); break;
      case 'w': wanted.is_worker = true; break;
      case 'c': wanted.most = options.value_number(1, entries_max); break;
      case 'u': wanted.most_of_one = options.value_number(0, entries_max); break;
      case 't': wanted.patience = options.value_number(); break;
      case 'a': binding.mode = options.value_mode(); break;
      case 'N': wanted.ready = options.value_descriptor(); break;
    }
  std::string_view const address = options.arguments(1, 1)[0];
  auto const before = inherited(options);
  // Who waits for readiness was told long ago.
  if (before.state >= 0) wanted.ready = -1;
  check_readiness(options, wanted.ready);
  // Each of them takes one of ours.
  DescriptorLimit limit;
  (void)limit.raise();

  auto socket = before.state >= 0 ? take_over(options, before, address) : worker_socket_argument(options, address, binding);
  ::unsetenv(inheritance);
  // A socket that others connect to has room for one program; the store is this one's for as long as it has it.
  auto server = make_box<Server>(wanted, socket.bound.fd.get());
  if (!server) die_no_memory();
  if (auto const restored = server->restore(before.state); !restored) die_sys(restored.error(), "the version before");
  for (;;) {
    auto const ended = server->run();
    if (!ended) die_sys(ended.error(), address);
    if (*ended == Ended::by_signal) break;
    execute(*server, socket, argv);
  }
  socket.remove();
  return exits::done;
}
