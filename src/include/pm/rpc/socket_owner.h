/** Whose a socket on this host is: sock_diag(7). */
#ifndef PM_RPC_SOCKET_OWNER_H
#define PM_RPC_SOCKET_OWNER_H

#include <pm/base/result.h>
#include <pm/rpc/universal.h>

namespace pm::onc {

/**
 * The uid of the socket that is bound to `theirs` and talks to `ours`, of that transport: whoever made it. ENOENT: there is
 * none; EPROTONOSUPPORT and others: this kernel does not say.
 */
[[nodiscard]] Result<uid_t> socket_owner(Netid netid, Endpoint const &theirs, Endpoint const &ours) noexcept;

} // namespace pm::onc

#endif
