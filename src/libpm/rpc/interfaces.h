/** Finding the address of this host that another host can reach. */
#pragma once

#include "libpm/net/sock_addr.h"

namespace pm::rpc {

/** The address of an interface in the network of `near`; none: this host has no such interface. Its port is 0. */
[[nodiscard]] SockAddr interface_near(SockAddr const &near) noexcept;

} // namespace pm::rpc
