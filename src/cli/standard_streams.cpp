#include "cli/standard_streams.h"

#include <pm/passing.h>
#include <signal.h>
#include "libpm/os/relay.h"
#include "libpm/os/sys.h"

namespace pm {

void check_passing(char const *const *program) noexcept {
  if (*program) refuse("-F and PROG exclude each other");
  int domain = 0;
  socklen_t size = sizeof domain;
  if (sys::getsockopt(1, SOL_SOCKET, SO_DOMAIN, &domain, &size) < 0 || domain != AF_UNIX)
    refuse("-F needs a Unix socket as standard output");
}

int use_standard_streams(Fd connection, bool passes, std::string_view object) noexcept {
  if (passes) {
    // openssh's monitor_fdpass.c reads one byte with the descriptor.
    int const fds[] = {connection.get()};
    if (auto const sent = send_fds(1, {"", 1}, fds, Limit()); !sent)
      die_sys({sent.error().code, "pass over standard output the connection to"}, object);
    return exits::done;
  }
  auto *const before = ::signal(SIGPIPE, SIG_IGN);
  auto const end = relay(0, static_cast<Fd &&>(connection), 1);
  // Not die_sys(): when the kernel gives up a connection, its ETIMEDOUT is not this program's time limit.
  if (!end) die(exits::system, "unable to ", end.error().doing, " ", object, ": ", strerror(end.error().code));
  if (*end == RelayEnd::server_closed) return exits::done;
  ::signal(SIGPIPE, before);
  ::raise(SIGPIPE);
  die(exits::system, "unable to copy to standard output from ", object, ": ", strerror(EPIPE));
}

} // namespace pm
