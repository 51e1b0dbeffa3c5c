/** Unix sockets by path: unix(7). */
#ifndef PM_BASE_LOCAL_SOCKET_H
#define PM_BASE_LOCAL_SOCKET_H

#include <pm/base/address.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/socket_name.h>
#include <pm/base/time.h>

namespace pm {

/** An address for the kernel. */
struct LocalName {
  struct sockaddr_un address;
  socklen_t size;

  [[nodiscard]] struct sockaddr const &any() const noexcept { return reinterpret_cast<struct sockaddr const &>(address); }
  /** `/PATH`, a relative path, or `@NAME` for an abstract one. ENAMETOOLONG: more than 107 bytes; EINVAL: empty. */
  [[nodiscard]] static Result<LocalName> make(std::string_view path) noexcept;
  /** To bind a socket to a name that the kernel makes up, so that it can be answered to: unix(7), autobind. */
  [[nodiscard]] static constexpr LocalName made_up() noexcept { return {{AF_UNIX, {}}, sizeof(sa_family_t)}; }
};

/** What the kernel said of a Unix socket: its path, an abstract name as @NAME; empty when it has none, or one that as text would mean something else. */
[[nodiscard]] Text<local_path_max + 1> text_of(SocketName const &name, socklen_t size) noexcept;

/** Whether they are one socket: the kernel's name for it, whatever leads there. */
[[nodiscard]] bool is_same_socket(int a, int b) noexcept;

/**
 * A connection to the socket of that type at `path` (as above), blocking, bound to `from` first, where there is one.
 * ETIMEDOUT: its backlog stayed full; EPROTOTYPE: it is of another type; ENOENT, ECONNREFUSED, EACCES...
 */
[[nodiscard]] Result<Fd> connect_local(std::string_view path, Deadline deadline, int type = SOCK_STREAM,
                                       LocalName const *from = nullptr) noexcept;

/**
 * The same of a stream socket, and ECANCELED when `stop` (-1: none) is readable before it has room for us. poll(2) does not tell of
 * that room, so the kernel is given the call (io_uring, Linux 5.5); where it takes none from us, `stop` is not heard until then.
 */
[[nodiscard]] Result<Fd> connect_local_or_stop(std::string_view path, Deadline deadline, int stop) noexcept;

} // namespace pm

#endif
