/** Connecting to where a service is. */
#ifndef PM_BASE_CONNECT_H
#define PM_BASE_CONNECT_H

#include <netinet/in.h>
#include <pm/base/address.h>
#include <pm/base/fd.h>
#include <pm/base/time.h>
#include <optional>

namespace pm {

/** An Internet address for the kernel. */
struct InternetName {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  };
  socklen_t size;

  /** Where to connect to for `address`, which is tcp, tcp6, udp or udp6: a wildcard's is loopback. */
  [[nodiscard]] static InternetName of(Address const &address) noexcept;
};

/**
 * A stream connection, blocking, to an address that is tcp, tcp6 or local. ETIMEDOUT, ECANCELED (`stop` is readable);
 * EPROTONOSUPPORT: another transport; ECONNREFUSED, ENOENT...
 */
[[nodiscard]] Result<Fd> connect_to(Address const &address, Deadline deadline, int stop = -1) noexcept;

/**
 * Whose the socket is that listens at a tcp or tcp6 address of this host, sock_diag(7): the user's that made it. Nothing:
 * the address is another host's. ENOENT: nobody listens.
 */
[[nodiscard]] Result<std::optional<uid_t>> listener_at(Address const &address) noexcept;

} // namespace pm

#endif
