/** Registering the port mapper itself. */
#pragma once

#include "libpm/rpc/registry_rows.h"
#include "libpm/rpc/sockets.h"

namespace pm::rpc {

/** Makes the rows of the port mapper's own program match its sockets, in the order of rpcbind. As RegistryRows::keep_own(). */
[[nodiscard]] Done register_own(RegistryRows &rows, RpcSockets const &sockets) noexcept;

} // namespace pm::rpc
