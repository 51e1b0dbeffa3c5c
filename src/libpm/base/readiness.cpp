#include <pm/base/readiness.h>

#include <fcntl.h>
#include <pm/base/local_socket.h>
#include <pm/base/say.h>
#include <pm/base/sys.h>

namespace pm {

void check_readiness(Options const &options, int fd) noexcept {
  if (fd < 0) return;
  if (fd == 2) options.refuse("-N 2 would take a complaint for readiness");
  // Numbers 0 to 2, where they came closed, are held by what cannot be used: it can be read where it should be written.
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
  auto const name = LocalName::make(path ? path : "");
  if (!name) return;
  Fd const socket(sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr std::string_view ready = "READY=1\n";
  if (sys::connect(socket.get(), reinterpret_cast<struct sockaddr const *>(&name->address), name->size) == 0)
    sys::send(socket.get(), ready.data(), ready.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

} // namespace pm
