/** The client that a connection counts for. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include "libpm/net/sock_addr.h"

namespace pm::super {

/** A user of this host, or an IP address. It has no padding, so that a table can hash its words. */
struct ClientKey {
  enum Kind : uint32_t { unknown, user, address };
  uint32_t kind = unknown;
  uint32_t words[4] = {}; /**< the uid, or the IPv6 address, or the IPv4-mapped IPv6 address */

  [[nodiscard]] static ClientKey of_user(uid_t uid) noexcept { return {user, {uid}}; }
  /** The address of an AF_INET or AF_INET6 peer, without its port. */
  [[nodiscard]] static ClientKey of_address(SockAddr const &name) noexcept;
  /** The client of connections whose credentials were not looked up. All of these count as one client. */
  [[nodiscard]] static ClientKey of_unknown() noexcept { return {unknown, {}}; }

  bool operator==(ClientKey const &) const noexcept = default;
  /** "uid 1000", "ip 127.0.0.1", "uid ?". */
  [[nodiscard]] Text<56> text() const noexcept;
};

} // namespace pm::super
