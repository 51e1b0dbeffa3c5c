// sd-say [-s SOCKET] [-f FD]... [-n COUNT] [-b] TEXT PROG...: sends TEXT with these descriptors to SOCKET, by default
// $NOTIFY_SOCKET, COUNT times, as this process; with -b also BARRIER=1, and waits until that is answered, a minute at most. Then
// executes PROG in this process.

#include <fcntl.h>
#include <stdlib.h>
#include "cli/arguments.h"
#include "cli/program.h"
#include "libpm/message/passing.h"
#include "libpm/net/connect.h"
#include "libpm/os/stream.h"
#include "libpm/os/sys.h"
#include "libpm/os/time.h"

using namespace pm;

namespace {

struct SaySettings {
  char const *socket = nullptr;
  List<int> fds;
  uint32_t count = 1;
  bool barrier = false;
};

constexpr CommandLine command_line(Synopsis{.program = "sd-say", .operands = "TEXT PROG...", .exits = "99 100 111 126 127"},
                                   option<as_text, &SaySettings::socket>('s', "SOCKET", "the socket"),
                                   option<as_descriptor, &SaySettings::fds>('f', "FD", "with this descriptor").as(Form::repeated),
                                   option<as_number<>, &SaySettings::count>('n', "COUNT", "so many times"),
                                   flag<&SaySettings::barrier>('b', "wait for the answer to BARRIER=1"));

} // namespace

int main(int argc, char const *const *argv) {
  SaySettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  char const *const path = settings.socket ? settings.socket : ::getenv("NOTIFY_SOCKET");
  if (!path) die(exits::usage, "no socket");
  auto const socket = connect_local(path, time_limit(60000), SOCK_DGRAM);
  if (!socket) die_sys(socket.error(), path);
  std::span<int const> const fds(settings.fds.begin(), settings.fds.size());
  for (uint32_t i = 0; i < settings.count; ++i)
    if (auto const sent = message::send_all(socket->get(), operands[0], fds, time_limit(60000)); !sent)
      die_sys(sent.error(), path);
  if (settings.barrier) {
    int ends[2];
    if (sys::pipe2(ends, O_CLOEXEC) < 0) die_sys({errno, "make"}, "a pipe");
    Fd const reading(ends[0]);
    Fd writing(ends[1]);
    int const one[] = {writing.get()};
    if (auto const sent = message::send_all(socket->get(), "BARRIER=1", one, time_limit(60000)); !sent)
      die_sys(sent.error(), path);
    writing.reset();
    // It is never readable: poll(2) reports the end.
    if (auto const ended = wait_for(reading.get(), POLLIN, time_limit(60000)); !ended) die_sys(ended.error(), "the barrier");
  }
  return execute(Environment(), operands + 1);
}
