/** Hosts by name. */
#ifndef PM_RPC_RESOLVE_H
#define PM_RPC_RESOLVE_H

#include <pm/base/result.h>
#include <pm/base/time.h>
#include <pm/rpc/universal.h>

namespace pm::onc {

/**
 * The IP address of a host: a number, or a name, for which the first is taken that getaddrinfo(3) has of that family (AF_INET,
 * AF_INET6, or AF_UNSPEC for either). Port 0. ENXIO: it has none; EAGAIN: whom it asked does not answer; ETIMEDOUT, ECANCELED.
 */
[[nodiscard]] Result<Endpoint> resolve(char const *host, int family, Deadline deadline, int stop = -1) noexcept;

} // namespace pm::onc

#endif
