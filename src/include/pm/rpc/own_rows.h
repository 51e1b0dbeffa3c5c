/** The port mapper's own rows. */
#ifndef PM_RPC_OWN_ROWS_H
#define PM_RPC_OWN_ROWS_H

#include <pm/rpc/sockets.h>
#include <pm/rpc/store.h>

namespace pm::onc {

/** Makes the rows of the port mapper itself what it listens on, in the order that rpcbind has. As Store::keep_own. */
[[nodiscard]] Done register_own(Store &store, Sockets const &sockets) noexcept;

} // namespace pm::onc

#endif
