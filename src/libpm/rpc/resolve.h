/** Finding a host by its name. */
#pragma once

#include "libpm/net/sock_addr.h"
#include "libpm/os/time.h"
#include "libpm/util/result.h"

namespace pm::rpc {

/**
 * The IP address, with port 0, of a host that is given by its address or name. It is of that family (AF_INET, AF_INET6, or
 * AF_UNSPEC for either). If a name has several, it is the first that getaddrinfo(3) returns. ENXIO: the host has none; EAGAIN:
 * the name server does not answer; ETIMEDOUT, ECANCELED.
 */
[[nodiscard]] Result<SockAddr> resolve(char const *host, int family, Limit limit) noexcept;

} // namespace pm::rpc
