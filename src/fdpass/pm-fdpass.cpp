// Hand descriptor 0, and what is known of who is at its other end, to a worker.

#include <fcntl.h>
#include <pm/base/program.h>
#include <pm/fdpass/handover.h>

namespace {

using namespace pm;
using namespace pm::fdpass;

constexpr char help[] =
    "[-t MS] ADDRESS\n"
    "  -t MS  how long the worker may take to take it (default 10000; 0: for ever)\n"
    "ADDRESS: PATH local:PATH local:@NAME; a stream, seqpacket or datagram socket\n"
    "exit codes: 0 1 99 100 101 111\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-fdpass", argc, argv, help);
  Options options(argc, argv, "t:", help);
  uint32_t timeout = 10000;
  while (options.next() >= 0) timeout = options.value_number();
  auto const name = LocalAddress::argument(options, options.arguments(1, 1)[0]);

  // What exec leaves open is not close-on-exec; what holds the number of one that came closed is.
  if (sys::fcntl(0, F_GETFD) & FD_CLOEXEC) die_sys({EBADF, "hand over"}, "descriptor 0");
  auto const deadline = Deadline::in(timeout);
  auto const identity = own_identity();
  if (!identity) die_sys(identity.error(), "descriptor 0");
  for (;;) {
    auto const worker = connect_worker(name, deadline);
    if (!worker) die_sys(worker.error(), name.text());
    auto const answer = hand_over(worker->get(), 0, *identity, deadline);
    // Whoever accepts the next connection has room.
    if (!answer && answer.error().code == EAGAIN) continue;
    if (!answer) die_sys(answer.error(), name.text());
    if (*answer) die(exits::no, "unable to hand a descriptor to ", name.text(), ": refused: ", (**answer).view());
    return exits::done;
  }
}
