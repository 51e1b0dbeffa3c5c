/** The client that a connection counts for. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include "libpm/net/network.h"

namespace pm::super {

/** A user of this host, or an IP address or network. It has no padding, so that a table can hash its words. */
struct ClientKey {
  enum Kind : uint32_t { unknown, user, address };
  uint32_t kind = unknown;
  uint32_t words[4] = {}; /**< the uid, or the IPv6 network, or the IPv4-mapped IPv6 address */
  uint32_t scope = 0;     /**< the interface of a link-local network */

  [[nodiscard]] static ClientKey of_user(uid_t uid) noexcept { return {user, {uid}, 0}; }
  /** The network of an AF_INET or AF_INET6 peer. */
  [[nodiscard]] static ClientKey of_address(SockAddr const &name, PrefixLengths lengths = {}) noexcept;
  /** The client of connections whose credentials were not looked up. All of these count as one client. */
  [[nodiscard]] static ClientKey of_unknown() noexcept { return {unknown, {}, 0}; }

  bool operator==(ClientKey const &) const noexcept = default;
  /** "uid 1000", "ip 127.0.0.1", "uid ?"; of a network its first address. */
  [[nodiscard]] Text<72> text() const noexcept;
};

} // namespace pm::super
