/** Whom a connection is counted for: a user of this host, or an IP address. */
#ifndef PM_SUPER_SOURCE_H
#define PM_SUPER_SOURCE_H

#include <pm/base/local_socket.h>
#include <stdint.h>
#include <sys/types.h>

namespace pm::super {

/** Plain words, so that they are told apart and spread by their bytes. */
struct Source {
  enum Kind : uint32_t { none, unknown, user, address };
  uint32_t kind = none;
  uint32_t words[4] = {}; /**< the uid; or the IPv6 address, an IPv4 one as IPv6 wraps it */

  [[nodiscard]] static Source of_user(uid_t uid) noexcept { return {user, {uid}}; }
  /** Of a connection's peer, AF_INET or AF_INET6; its port is no matter. */
  [[nodiscard]] static Source of_address(SocketName const &name) noexcept;
  /** Whoever it is, as nobody asked. */
  [[nodiscard]] static Source of_unknown() noexcept { return {unknown, {}}; }

  bool operator==(Source const &) const noexcept = default;
  /** "uid 1000", "ip 127.0.0.1", "?". */
  [[nodiscard]] Text<56> text() const noexcept;
};

} // namespace pm::super

#endif
