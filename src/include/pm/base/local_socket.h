/** Unix sockets by path: unix(7). */
#ifndef PM_BASE_LOCAL_SOCKET_H
#define PM_BASE_LOCAL_SOCKET_H

#include <pm/base/address.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/time.h>
#include <sys/un.h>

namespace pm {

/** An address for the kernel. */
struct LocalName {
  struct sockaddr_un address;
  socklen_t size;

  /** `/PATH`, a relative path, or `@NAME` for an abstract one. ENAMETOOLONG: more than 107 bytes; EINVAL: empty. */
  [[nodiscard]] static Result<LocalName> make(std::string_view path) noexcept;
};

/**
 * A connection to the socket of that type at `path` (as above), blocking; a datagram socket gets a name of its own, to be answered to.
 * ETIMEDOUT: its backlog stayed full; EPROTOTYPE: it is of another type; ENOENT, ECONNREFUSED, EACCES...
 */
[[nodiscard]] Result<Fd> connect_local(std::string_view path, Deadline deadline, int type = SOCK_STREAM) noexcept;

} // namespace pm

#endif
