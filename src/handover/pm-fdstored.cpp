// Keep descriptors open by name, so that they outlive the programs that use them.

#include <stdlib.h>
#include <utility>
#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/super_options.h"
#include "libpm/handover/store_server.h"
#include "libpm/os/limits.h"

namespace {

using namespace pm;
using namespace pm::handover;
using super::WorkerSocket, super::worker_socket;

struct FdstoredSettings {
  StoreOptions server;
  BindOptions binding;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-fdstored",
             .operands = "ADDRESS",
             .exits = "0 100 101 111",
             .notes = "ADDRESS: PATH local:PATH local:@NAME, or fd:N, a socket that listens\n"},
    option<as_text, &FdstoredSettings::server, &StoreOptions::rules>(
        'i', "DIR", "admit other users by pm-access rules, with PM_FDSTORE_STORE, PM_FDSTORE_GET, PM_FDSTORE_LIST"),
    flag<&FdstoredSettings::server, &StoreOptions::is_worker>(
        'w', "act as the worker of pm-superd -w at ADDRESS: clients are connections that it hands over"),
    option<as_number<1, stored_max>, &FdstoredSettings::server, &StoreOptions::most>(
        'c', "MAX", "descriptors at a time (default 1000, at most 2048)"),
    option<as_number<0, stored_max>, &FdstoredSettings::server, &StoreOptions::most_of_one>(
        'u', "MAX", "descriptors of each user that a rule admits (default 100)"),
    option<as_number<>, &FdstoredSettings::server, &StoreOptions::patience>(
        't', "MS", "the time limit of a client for its next question, and for reading its answer (default 10000)"),
    option<as_mode, &FdstoredSettings::binding, &BindOptions::mode>('a', "MODE",
                                                                    "the permissions of the path, in octal (default 777)"),
    option<as_descriptor, &FdstoredSettings::server, &StoreOptions::ready>('N', "FD",
                                                                           "write a newline to FD, and close it, when ready"));

/**
 * The variable that the previous version of the program sets: FILE:SOCKET:DEVICE:INODE. FILE and SOCKET are descriptors, the
 * state and the listening socket; DEVICE and INODE identify the socket's path.
 */
constexpr char inheritance[] = "PM_FDSTORED_STATE";

struct Inherited {
  int state = -1, socket = -1;
  dev_t device = 0;
  ino_t inode = 0;
};

Inherited inherited() noexcept {
  char const *const text = ::getenv(inheritance);
  if (!text) return {};
  uint64_t numbers[4] = {};
  Cut rest = {{}, text, true};
  for (auto &n : numbers) {
    rest = cut(rest.tail, ':');
    auto const read = number<uint64_t>(rest.head);
    if (!read) Argument{inheritance, text}.refuse_unless("FILE:SOCKET:DEVICE:INODE, as pm-fdstored sets it");
    n = *read;
  }
  return {static_cast<int>(numbers[0]), static_cast<int>(numbers[1]), numbers[2], numbers[3]};
}

/** Takes over the socket of the previous version. This process still owns the path, and removes it at the end. */
WorkerSocket take_over(Inherited const &from, Argument const &address) noexcept {
  auto socket = worker_socket({inheritance, (Text<32>("fd:") << from.socket).view()}, {});
  if (!address.text.starts_with("fd:")) socket.name = local_address(address);
  socket.bound.device = from.device;
  socket.bound.inode = from.inode;
  return socket;
}

/** Executes the program that is now at this program's name, after saving the store. Returns if that fails. */
void become_successor(StoreServer &server, WorkerSocket const &socket, char const *const *argv) noexcept {
  auto state = server.save();
  if (!state) return warn_sys(state.error(), argv[0]);
  Environment environment;
  environment.set(inheritance, (Text<96>() << state->get() << ':' << socket.bound.fd.get() << ':' << socket.bound.device << ':'
                                           << socket.bound.inode)
                                   .view());
  auto const variables = environment.merged();
  if (variables) sys::exec(argv, variables->begin());
  warn_sys(variables ? SysError{errno, "execute"} : variables.error(), argv[0]);
  server.undo_save();
}

} // namespace

int main(int argc, char const *const *argv) {
  FdstoredSettings settings;
  StoreOptions &wanted = settings.server;
  Argument const address{"ADDRESS", command_line.read(argc, argv, settings)[0]};
  auto const before = inherited();
  // The previous version has announced readiness already.
  if (before.state >= 0) wanted.ready = -1;
  check_readiness(wanted.ready);
  // The store keeps every stored descriptor open, so raise the limit.
  DescriptorLimit limit;
  (void)limit.raise();

  auto socket = before.state >= 0 ? take_over(before, address) : worker_socket(address, settings.binding);
  ::unsetenv(inheritance);
  // Only one process can bind the socket, so the store needs no lock.
  StandardErrorLog log;
  auto server = make_box<StoreServer>(wanted, socket.bound.fd.get(), log);
  if (!server) die_no_memory();
  if (auto const restored = server->restore(before.state); !restored)
    die_sys(restored.error(), "the state of the previous version");
  if (auto const prepared = server->prepare(); !prepared) die_sys(prepared.error(), address.text);
  announce_readiness(wanted.ready);
  for (;;) {
    auto const ended = server->run();
    if (!ended) die_sys(ended.error(), address.text);
    if (*ended == StoreEnded::by_signal) break;
    become_successor(*server, socket, argv);
  }
  socket.remove();
  return exits::done;
}
