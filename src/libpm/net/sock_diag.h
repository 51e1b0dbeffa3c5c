/** The owner of a TCP or UDP socket on this host, as the kernel reports it: sock_diag(7). */
#pragma once

#include <optional>
#include "libpm/net/sock_addr.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * The user who made the socket that listens at a tcp or tcp6 address of this host. Nothing: the address belongs to another host.
 * ENOENT: no socket listens there. EPROTONOSUPPORT and others: this kernel does not report it.
 */
[[nodiscard]] Result<std::optional<uid_t>> listener_at(Address const &address) noexcept;

/**
 * The user who made the socket of that transport that is bound to `theirs` and exchanges data with `ours`. ENOENT: there is no
 * such socket. EPROTONOSUPPORT and others: this kernel does not report it.
 */
[[nodiscard]] Result<uid_t> socket_owner(Netid netid, SockAddr const &theirs, SockAddr const &ours) noexcept;

} // namespace pm
