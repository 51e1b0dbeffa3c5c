/** Unix sockets by path: unix(7). */
#ifndef PM_BASE_LOCAL_SOCKET_H
#define PM_BASE_LOCAL_SOCKET_H

#include <netinet/in.h>
#include <pm/base/address.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/time.h>

#include <sys/time.h>
#include <sys/un.h>

namespace pm {

/** An address for the kernel. */
struct LocalName {
  struct sockaddr_un address;
  socklen_t size;

  /** `/PATH`, a relative path, or `@NAME` for an abstract one. ENAMETOOLONG: more than 107 bytes; EINVAL: empty. */
  [[nodiscard]] static Result<LocalName> make(std::string_view path) noexcept;
};

/** Room for what the kernel may write: a path of 108 bytes comes with a NUL after them (unix(7), BUGS). */
union SocketName {
  struct sockaddr any;
  struct sockaddr_un local;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  char bytes[sizeof(struct sockaddr_un) + 1];
};

/** What the kernel said of a Unix socket: its path, an abstract name as @NAME; empty when it has none, or one that as text would mean something else. */
[[nodiscard]] Text<local_path_max + 1> text_of(SocketName const &name, socklen_t size) noexcept;

/**
 * A connection to the socket of that type at `path` (as above), blocking; a datagram socket gets a name of its own, to be answered to.
 * ETIMEDOUT: its backlog stayed full; EPROTOTYPE: it is of another type; ENOENT, ECONNREFUSED, EACCES...
 */
[[nodiscard]] Result<Fd> connect_local(std::string_view path, Deadline deadline, int type = SOCK_STREAM) noexcept;
/** The same with a socket that is bound already, or need not be. Here, because a call more is 80 bytes more in each program. */
[[nodiscard]] inline Result<Fd> connect_local(Fd socket, LocalName const &name, Deadline deadline) noexcept {
  constexpr char const *doing = "connect to";
  for (;;) {
    // A full backlog is waited for in connect itself, which poll knows nothing of: socket(7), SO_SNDTIMEO.
    int const ms = deadline.remaining();
    if (ms == 0) return failed(doing, ETIMEDOUT);
    struct timeval const left = {ms < 0 ? 0 : ms / 1000, ms < 0 ? 0 : ms % 1000 * 1000};
    if (sys::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left) < 0) return failed(doing);
    if (sys::connect(socket.get(), reinterpret_cast<struct sockaddr const *>(&name.address), name.size) == 0) break;
    if (errno == EAGAIN) continue;
    if (errno != EINTR) return failed(doing);
  }
  struct timeval const never = {};
  if (sys::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &never, sizeof never) < 0) return failed(doing);
  return Result<Fd>(static_cast<Fd &&>(socket));
}

} // namespace pm

#endif
