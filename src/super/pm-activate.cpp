// Wait until somebody has come to a socket that listens; then become the server.

#include <fcntl.h>
#include <pm/base/listen_fds.h>
#include <pm/base/program.h>
#include <pm/base/sys.h>
#include <pm/base/time.h>

namespace {

using namespace pm;

constexpr char help[] =
    "[-t MS] [-0] [-N FD] PROG...\n"
    "  -t MS  how long to wait (default 0: for ever)\n"
    "  -0     there is one socket, and it becomes descriptor 0; without LISTEN_FDS it is descriptor 0\n"
    "  -N FD  write a newline to FD, and close it, when it waits\n"
    "exit codes: 0 99 100 101 111 126 127\n";

/** The sockets waited for: those of LISTEN_FDS, or descriptor 0. */
struct Sockets {
  size_t count = 0;
  std::string_view names[listen_fds_max];
  struct pollfd fds[listen_fds_max];
  bool given = false;
};

Sockets find_sockets(bool standard_input) noexcept {
  Sockets sockets;
  auto const given = ListenFds::own();
  sockets.given = given.has_value();
  if (!given && (!standard_input || given.error().code != ENOENT)) die_sys(given.error(), "");
  sockets.count = given ? given->size() : 1;
  for (size_t i = 0; i < sockets.count; ++i) {
    sockets.fds[i] = {given ? given->fd(i) : 0, POLLIN, 0};
    if (given) sockets.names[i] = given->name(i);
    // What is no socket would be ready for ever, or never.
    int type;
    socklen_t size = sizeof type;
    if (sys::getsockopt(sockets.fds[i].fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
      die_sys({errno, "wait for"}, (Text<32>("descriptor ") << sockets.fds[i].fd).view());
  }
  return sockets;
}

/** Any of them; it is not accepted, so PROG finds it. */
Done wait_for_any(Sockets &sockets, Deadline deadline) noexcept {
  for (;;) {
    int const n = sys::poll(sockets.fds, sockets.count, deadline.remaining());
    if (n > 0) return {};
    if (n < 0 && errno != EINTR) return failed("wait for");
    if (n == 0 && deadline.remaining() == 0) return failed("wait for", ETIMEDOUT);
  }
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-activate", argc, argv, help);
  Options options(argc, argv, "t:0N:", help);
  uint32_t timeout = 0;
  bool standard_input = false;
  int ready = -1;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 't': timeout = options.value_number(); break;
      case '0': standard_input = true; break;
      case 'N': ready = options.value_descriptor(); break;
    }
  char const *const *const program = options.arguments(1);
  check_readiness(options, ready);

  auto sockets = find_sockets(standard_input);
  if (standard_input && sockets.count > 1) die_sys({EINVAL, "have as descriptor 0"}, "more than one socket");
  announce_readiness(ready);
  if (auto const come = wait_for_any(sockets, Deadline::in(timeout)); !come) die_sys(come.error(), "a connection");

  Environment environment;
  if (!standard_input) {
    give_listen_fds(environment, {sockets.names, sockets.count});
  } else {
    forget_listen_fds(environment);
    if (sockets.given && (sys::dup2(sockets.fds[0].fd, 0) < 0 || sys::close(sockets.fds[0].fd) < 0))
      die_sys({errno, "have as descriptor 0"}, "the socket");
  }
  return environment.exec(program);
}
