/** A socket that a super-server serves. */
#ifndef PM_SUPER_LISTENER_H
#define PM_SUPER_LISTENER_H

#include <pm/base/socket_address.h>

namespace pm::super {

/** Of one of the kinds that can be served: a Unix or TCP socket that listens, or a datagram socket that is bound. */
struct Listener {
  int fd = -1;
  int family = 0;
  bool datagrams = false;
  pid_t child = 0;               /**< of a datagram socket: who has it now */
  std::string_view name;         /**< from LISTEN_FDNAMES; empty if it has none */
  Text<local_path_max + 1> path; /**< of a Unix socket, as text_of() */
  IpName ip;                     /**< what an IP socket is bound to, where no connection can have another */

  /** Looks at descriptor `fd`, and makes it non-blocking and close-on-exec. EINVAL: it does not listen. EAFNOSUPPORT, ENOTSOCK. */
  [[nodiscard]] static Result<Listener> adopt(int fd, std::string_view name) noexcept;
  [[nodiscard]] bool is_local() const noexcept { return family == AF_UNIX; }
};

} // namespace pm::super

#endif
