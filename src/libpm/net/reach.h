/** From which hosts an address can be reached. */
#pragma once

#include "libpm/net/sock_addr.h"

namespace pm {

/** Whether it is in the loopback network: 127.0.0.0/8, also mapped to IPv6, or ::1. */
[[nodiscard]] bool is_in_loopback_network(SockAddr const &address) noexcept;
/**
 * Whether the address of a service is of use on its own host only: a Unix socket, the loopback network, a link-local address (its scope is
 * a name or a number of this host), and a wildcard, which a client takes for loopback. `none` is not.
 */
[[nodiscard]] bool is_for_own_host(Address const &address) noexcept;

} // namespace pm
