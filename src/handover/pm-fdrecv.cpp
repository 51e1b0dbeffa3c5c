// The worker's side of a hand-over: take descriptors, and start PROG with each.

#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/super_options.h"
#include "libpm/handover/receiver.h"

namespace {

using namespace pm;
using namespace pm::handover;
using namespace pm::super;

struct FdrecvSettings {
  ReceiverOptions receiver;
  BindOptions binding;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-fdrecv",
             .operands = "ADDRESS PROG...",
             .exits = "0 100 101 111 126 127",
             .notes = "ADDRESS: PATH local:PATH local:@NAME, or fd:N, a socket that is bound\n"},
    flag<&FdrecvSettings::receiver, &ReceiverOptions::once>('1', "become PROG with the first descriptor"),
    sets<SOCK_SEQPACKET, &FdrecvSettings::binding, &BindOptions::type>('S', "bind a seqpacket socket"),
    sets<SOCK_DGRAM, &FdrecvSettings::binding, &BindOptions::type>('m', "bind a datagram socket").as(Form::alternative),
    option<as_number<1>, &FdrecvSettings::receiver, &ReceiverOptions::most>(
        'c', "MAX", "programs at a time (default 40); more descriptors wait"),
    option<as_user, &FdrecvSettings::receiver, &ReceiverOptions::offerers>(
        'u', "USER", "also accept descriptors from USER (root and the current user always may)")
        .as(Form::repeated),
    option<as_mode, &FdrecvSettings::binding, &BindOptions::mode>('a', "MODE",
                                                                  "the permissions of the path, in octal (default 777)"),
    option<as_descriptor, &FdrecvSettings::receiver, &ReceiverOptions::ready>('N', "FD",
                                                                              "write a newline to FD, and close it, when ready"));

/** Executes the program with the descriptor as its standard input and output. */
int become(Received &received, char const *const *program) noexcept {
  int const fd = received.descriptor.release();
  if (sys::dup2(fd, 0) < 0 || sys::dup2(fd, 1) < 0) die_sys({errno, "duplicate"}, "the descriptor to 0 and 1");
  if (fd > 1) sys::close(fd);
  return execute(received.environment, program);
}

} // namespace

int main(int argc, char const *const *argv) {
  FdrecvSettings settings;
  settings.binding.credentials = true;
  char const *const *const operands = command_line.read(argc, argv, settings), *const *const program = operands + 1;
  // Check FD before opening the socket: if FD is closed, the socket could get its number.
  check_readiness(settings.receiver.ready);
  std::string_view const address = operands[0];
  auto socket = worker_socket({"ADDRESS", address}, settings.binding);
  int const ready = settings.receiver.ready;
  StandardErrorLog log;
  Receiver receiver(std::move(settings.receiver), std::move(socket.bound.fd), program, log);
  if (auto const prepared = receiver.prepare(); !prepared) {
    socket.remove();
    die_sys(prepared.error(), address);
  }
  announce_readiness(ready);
  auto received = receiver.run();
  socket.remove();
  receiver.close();
  if (!received) die_sys(received.error(), address);
  if (!*received) return exits::done;
  receiver.give_signals_back();
  return become(**received, program);
}
