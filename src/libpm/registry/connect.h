/** Connecting to a service by its name, and checking the user that runs its server. */
#pragma once

#include <variant>
#include "libpm/net/address.h"
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/registry/lookup.h"

namespace pm::registry {

/** A connection to a service. */
struct Reached {
  Fd socket;           /**< blocking */
  size_t registration; /**< the index of the registration in the lookup's result */
  Address address;     /**< as it was registered */
};

/** A server that runs as a user that the query does not trust. */
struct UntrustedServer {
  size_t registration; /**< the index of its registration in the lookup's result */
  uid_t uid;           /**< of the process that listens */
};

/** Both users, such as `the server at tcp:127.0.0.1:80 runs as uid 1000, and the registration is of uid 990`. */
[[nodiscard]] Text<512> explain(UntrustedServer const &server, LiveRegistration const &registration) noexcept;

using ConnectFailure = std::variant<SysError, UntrustedServer>;

/**
 * Looks the query up into `found` and connects to the server of the oldest registration that answers. It skips registrations that are
 * no stream service (tcp, tcp6, local). Returns nothing if there is no registration to try. If no server can be reached, returns the
 * failure of the last: ECONNREFUSED, ENOENT..., or an UntrustedServer. ETIMEDOUT: the limit for all of them together has passed;
 * ECANCELED: `stop` became readable.
 *
 * The process that listens at a Unix socket, or at a TCP address of this host, must run as root, as this process's effective user, as
 * a user that the query trusts, or as the user that the registered process now runs as. The last is for a server that root registers
 * and that then changes its user. The overflow uid proves nothing, is_overflow_user(). A query that trusts every user checks nothing,
 * and there is nothing to check at an address of another host.
 */
[[nodiscard]] tl::expected<std::optional<Reached>, ConnectFailure> connect(Tree const &tree, LookupQuery const &query,
                                                                           Limit limit, LiveRegistrations &found) noexcept;

} // namespace pm::registry
