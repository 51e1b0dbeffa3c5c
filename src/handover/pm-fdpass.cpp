// Hand descriptor 0, and the variables that describe its connection, to a worker.

#include <fcntl.h>
#include "cli/arguments.h"
#include "cli/client_timeout.h"
#include "libpm/handover/handover.h"
#include "libpm/net/connect.h"
#include "libpm/os/sys.h"

namespace {

using namespace pm;
using namespace pm::handover;

struct FdpassSettings {
  ClientTimeout timeout;
  ServerUsers trusted;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-fdpass",
             .operands = "ADDRESS",
             .exits = "0 1 99 100 101 111",
             .notes = "ADDRESS: PATH local:PATH local:@NAME; a stream, seqpacket or datagram socket\n"},
    server_users_option<&FdpassSettings::trusted>('u', "also trust a worker of USER (always: root and the current user)"),
    timeout_option<&FdpassSettings::timeout>());

} // namespace

int main(int argc, char const *const *argv) {
  FdpassSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  auto const name = local_address({"ADDRESS", operands[0]});

  // A descriptor that this program inherited is not close-on-exec. If it is, descriptor 0 was closed, and /dev/null holds its
  // place.
  if (sys::fcntl(0, F_GETFD) & FD_CLOEXEC) die_sys({EBADF, "hand over"}, "descriptor 0");
  auto const deadline = settings.timeout.start();
  auto const identity = own_identity();
  if (!identity) die_sys(identity.error(), "descriptor 0");
  for (;;) {
    std::optional<uid_t> stranger;
    auto const once = [&]() noexcept { return connect_worker(name, deadline, settings.trusted, stranger); };
    bool const awaits = settings.timeout.awaits() && name.path();
    auto const worker = awaits ? await_server(name.path(), deadline, once) : once();
    if (stranger)
      die(exits::system, "unable to hand a descriptor to ", name.local_name().view(), ": ", explain_stranger(*stranger).view());
    if (!worker) die_sys(worker.error(), name.local_name().view());
    auto const answer = hand_over(worker->get(), 0, *identity, deadline);
    // This worker has no room. Connect again: another worker may accept.
    if (!answer && answer.error().code == EAGAIN) continue;
    if (!answer) die_sys(answer.error(), name.local_name().view());
    if (*answer) die(exits::no, "unable to hand a descriptor to ", name.local_name().view(), ": refused: ", (**answer).view());
    return exits::done;
  }
}
