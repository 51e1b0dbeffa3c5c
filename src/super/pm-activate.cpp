// Wait for a connection or a datagram on a socket, then execute the server.

#include "cli/arguments.h"
#include "cli/given_sockets.h"
#include "cli/program.h"
#include "cli/readiness.h"
#include "libpm/net/listen_fds.h"
#include "libpm/os/blocking.h"
#include "libpm/os/fd_variables.h"
#include "libpm/os/sys.h"
#include "libpm/os/time.h"

namespace {

using namespace pm;

struct ActivateSettings {
  uint32_t timeout = 0;
  bool standard_input = false;
  bool blocking = true;
  int ready = -1;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-activate", .operands = "PROG...", .exits = "0 99 100 101 111 126 127"},
    option<as_number<>, &ActivateSettings::timeout>('t', "MS", "the time limit (default 0: none)"),
    flag<&ActivateSettings::standard_input>(
        '0', "wait for one socket, that of LISTEN_FDS or else descriptor 0, and make it descriptor 0"),
    nonblocking_option<&ActivateSettings::blocking>(),
    option<as_descriptor, &ActivateSettings::ready>('N', "FD", "write a newline to FD, and close it, when waiting"));

/** The sockets to wait for: those of LISTEN_FDS, or descriptor 0. */
struct ActivatedSockets {
  size_t count = 0;
  std::string_view names[listen_fds_max];
  struct pollfd fds[listen_fds_max];
  bool given = false;
};

ActivatedSockets find_sockets(bool standard_input) noexcept {
  ActivatedSockets sockets;
  auto const given = ListenFds::own();
  sockets.given = given.has_value();
  if (!given && (!standard_input || given.error().code != ENOENT)) die_of_listen_fds(given.error());
  if (!given) warn_of_other_listen_fds();
  sockets.count = given ? given->size() : 1;
  for (size_t i = 0; i < sockets.count; ++i) {
    sockets.fds[i] = {given ? given->fd(i) : 0, POLLIN, 0};
    if (given) sockets.names[i] = given->name(i);
    // Refuse a descriptor that is not a socket: poll(2) would report it always or never.
    int type;
    socklen_t size = sizeof type;
    if (sys::getsockopt(sockets.fds[i].fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
      die_sys({errno, "wait for"}, (Text<32>("descriptor ") << sockets.fds[i].fd).view());
  }
  return sockets;
}

/** Waits until one of the sockets is readable. Does not accept the connection: PROG does. */
Done wait_for_any(ActivatedSockets &sockets, Deadline deadline) noexcept {
  for (;;) {
    int const n = sys::poll(sockets.fds, sockets.count, deadline.remaining());
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return failed("wait for");
    if (n == 0 && deadline.remaining() == 0) return failed("wait for", ETIMEDOUT);
  }
}

} // namespace

int main(int argc, char const *const *argv) {
  ActivateSettings settings;
  char const *const *const program = command_line.read(argc, argv, settings);
  check_readiness(settings.ready);

  auto sockets = find_sockets(settings.standard_input);
  if (settings.standard_input && sockets.count > 1) die(exits::system, "-0 works with one socket only");
  announce_readiness(settings.ready);
  if (auto const come = wait_for_any(sockets, time_limit(settings.timeout)); !come) die_sys(come.error(), "a connection");
  for (size_t i = 0; i < sockets.count; ++i)
    if (auto const set = set_blocking(sockets.fds[i].fd, settings.blocking); !set) die_sys(set.error(), "a socket");

  Environment environment;
  if (!settings.standard_input) {
    give_listen_fds(environment, {sockets.names, sockets.count});
  } else {
    forget_listen_fds(environment);
    if (sockets.given && (sys::dup2(sockets.fds[0].fd, 0) < 0 || sys::close(sockets.fds[0].fd) < 0))
      die_sys({errno, "duplicate"}, "the socket to descriptor 0");
    forget_wrong_fds(environment, 0, sockets.given ? 1 : 0);
  }
  return execute(environment, program);
}
