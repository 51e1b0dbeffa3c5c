/** Whose listening socket an address is: sock_diag(7). */
#ifndef PM_BASE_LISTENER_AT_H
#define PM_BASE_LISTENER_AT_H

#include <pm/base/socket_address.h>
#include <optional>

namespace pm {

/**
 * Whose the socket is that listens at a tcp or tcp6 address of this host: the user's that made it. Nothing: the address is
 * another host's. ENOENT: nobody listens.
 */
[[nodiscard]] Result<std::optional<uid_t>> listener_at(Address const &address) noexcept;

} // namespace pm

#endif
