/** Connecting to a socket of any kind. */
#ifndef PM_BASE_CONNECT_H
#define PM_BASE_CONNECT_H

#include <pm/base/socket_address.h>

namespace pm {

/**
 * A connection to `to`, blocking. `type` is of a local one; `from`: what it is bound to first, an address of the same kind, or null.
 * ETIMEDOUT, ECANCELED (`stop` is readable), ECONNREFUSED, ENETUNREACH, EADDRINUSE (`from` is taken), ENOENT...; what could
 * not be done tells which of the two it was.
 */
[[nodiscard]] Result<Fd> connect_to(SocketAddress const &to, int type, SocketAddress const *from, Deadline deadline,
                                    int stop = -1) noexcept;

/** A stream connection to where a service is: tcp, tcp6 or local, a wildcard being loopback. EPROTONOSUPPORT: another transport. */
[[nodiscard]] Result<Fd> connect_to(Address const &address, Deadline deadline, int stop = -1) noexcept;

} // namespace pm

#endif
