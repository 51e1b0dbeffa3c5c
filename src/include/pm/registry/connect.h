/** Connecting to a service by its name, and knowing whom one has reached. */
#ifndef PM_REGISTRY_CONNECT_H
#define PM_REGISTRY_CONNECT_H

#include <pm/base/address.h>
#include <pm/base/environment.h>
#include <pm/base/fd.h>
#include <pm/base/time.h>
#include <pm/registry/lookup.h>

namespace pm::registry {

/** What connect() fails at, with EPERM, where somebody else listens: SysError::doing is this. */
inline constexpr char not_believed[] = "believe the server of";

/** A connection that was made. */
struct Reached {
  Fd socket;       /**< blocking */
  size_t instance; /**< which of those that were found */
  Address address; /**< where it is, as it was registered */
};

/**
 * Looks the query up into `found` and connects to the oldest of the instances that answers; those that are no stream service
 * (tcp, tcp6, local) are passed over. Nothing: there was none to be tried. Otherwise, where none could be reached, what was
 * wrong with the last: ECONNREFUSED, ENOENT...; EPERM: somebody else than the registrant listens there. ETIMEDOUT, for all
 * of them together; ECANCELED, when `stop` became readable.
 *
 * Whoever listens at a Unix socket, or at a TCP address of this host, has to be the instance's owner, or the user that the
 * registered process runs as by now: a server that was registered by root, and runs as somebody less. An owner without a name
 * proves nothing, and an address of another host can prove nothing.
 */
[[nodiscard]] Result<std::optional<Reached>> connect(Registry const &registry, Query const &query, Deadline deadline, int stop,
                                                     Instances &found) noexcept;

/** PROG's environment: PM_ and the parts of one instance; what it has no part of is unset. */
void describe(Instance const &instance, Address const &address, Environment &environment) noexcept;

} // namespace pm::registry

#endif
