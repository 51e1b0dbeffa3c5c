/** The networks that IP addresses are in. */
#pragma once

#include "libpm/net/sock_addr.h"

namespace pm {

/** How many bits of an address are its network. */
struct PrefixLengths {
  uint32_t v4 = 32;
  uint32_t v6 = 64; /**< a customer or a host of IPv6 has all addresses of such a network */
  bool operator==(PrefixLengths const &) const noexcept = default;
};

/** All bits: the address itself. */
inline constexpr PrefixLengths whole_address = {32, 128};

/**
 * The network of an IP address: the other bits are 0, and it has no port. An IPv4-mapped address is in a network of IPv4. Limits for
 * each client count by this network, with the default lengths. It keeps the scope.
 */
[[nodiscard]] SockAddr network_of(SockAddr const &address, PrefixLengths lengths = {}) noexcept;

/** Whether the families and hosts of two IP addresses are the same. */
[[nodiscard]] bool same_host(SockAddr const &a, SockAddr const &b) noexcept;
/** Whether limits count both IP addresses for one client. */
[[nodiscard]] bool is_same_network(SockAddr const &a, SockAddr const &b) noexcept;

} // namespace pm
