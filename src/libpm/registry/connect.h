/** Connecting to a service by its name, and checking the user that runs its server. */
#pragma once

#include "libpm/net/address.h"
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/registry/lookup.h"

namespace pm::registry {

/** SysError::doing, with EPERM, when another user's server listens at the service's address. */
inline constexpr char not_trusted[] = "trust the server of";

/** A connection to a service. */
struct Reached {
  Fd socket;           /**< blocking */
  size_t registration; /**< the index of the registration in the lookup's result */
  Address address;     /**< as it was registered */
};

/**
 * Looks the query up into `found` and connects to the server of the oldest registration that answers. It skips registrations that are
 * no stream service (tcp, tcp6, local). Returns nothing if there is no registration to try. If no server can be reached, returns the
 * error of the last: ECONNREFUSED, ENOENT...; EPERM: the listener is not the registrant's. ETIMEDOUT: the limit for all of them
 * together has passed; ECANCELED: `stop` became readable.
 *
 * The process that listens at a Unix socket, or at a TCP address of this host, must run as the registration's owner, or as the user
 * that the registered process now runs as: root may register a server that then changes its user. An owner that the kernel cannot name
 * proves nothing. At an address of another host there is nothing to check.
 */
[[nodiscard]] Result<std::optional<Reached>> connect(Tree const &tree, Query const &query, Limit limit,
                                                     LiveRegistrations &found) noexcept;

} // namespace pm::registry
