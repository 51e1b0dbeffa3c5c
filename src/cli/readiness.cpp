#include "cli/readiness.h"

#include <fcntl.h>
#include <pm/types.h>
#include "cli/say.h"
#include "libpm/net/sock_addr.h"
#include "libpm/os/sys.h"

namespace pm {

void check_readiness(int fd) noexcept {
  if (fd < 0) return;
  if (fd == 2) refuse("-N 2: standard error cannot be used for readiness");
  // If descriptor 1 was closed, the command line's parser has opened /dev/null on it, read-only: refuse that, too.
  int const flags = sys::fcntl(fd, F_GETFL);
  if (flags >= 0 && (flags & O_ACCMODE) != O_RDONLY) return;
  die_sys({flags < 0 ? errno : EBADF, "write to"}, (Text<32>("descriptor ") << fd).view());
}

void announce_readiness(int fd) noexcept {
  if (fd < 0) return;
  (void)!sys::write(fd, "\n", 1);
  sys::close(fd);
}

void notify_readiness(char const *path) noexcept {
  auto const name = SockAddr::of_path(path ? path : "");
  if (!name) return;
  Fd const socket(sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr std::string_view ready = "READY=1\n";
  if (sys::connect(socket.get(), name->get(), name->size()) == 0)
    sys::send(socket.get(), ready.data(), ready.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

} // namespace pm
