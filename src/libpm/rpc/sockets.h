/** The sockets of the port mapper. */
#pragma once

#include <pm/types.h>
#include "libpm/net/sock_addr.h"
#include "libpm/os/sys.h"
#include "libpm/rpc/interfaces.h"
#include "libpm/util/result.h"

namespace pm::rpc {

/** A bound, non-blocking socket for calls: of datagrams, or listening. */
struct RpcSocket {
  Fd fd;
  Netid netid = Netid::none;
  uint16_t port = 0; /**< 0: over local */
  bool abstract = false;
  bool both = false;     /**< of IPv6: it also receives IPv4 */
  List<uint32_t> joined; /**< of udp6: the interfaces on which it joined the group */
};

/** Owns sockets. The address of each object does not change. */
class RpcSockets : public List<RpcSocket *> {
 public:
  RpcSockets() noexcept = default;
  RpcSockets(RpcSockets &&) noexcept = default;
  RpcSockets &operator=(RpcSockets &&) = delete;
  ~RpcSockets();

  [[nodiscard]] Done keep(RpcSocket socket) noexcept;
  /** The first socket that receives calls of a netid, but one with an abstract name only if there is no other; null: none. */
  [[nodiscard]] RpcSocket const *find(Netid netid) const noexcept;
};

/** Binds to an IP address. IPv6 is IPv6 only. EADDRINUSE; EAFNOSUPPORT, EADDRNOTAVAIL: this host has no such address. */
[[nodiscard]] Result<RpcSocket> bind_ip(Netid netid, SockAddr const &address) noexcept;

/** Binds a Unix socket to which every user may connect. EADDRINUSE, ... */
[[nodiscard]] Result<RpcSocket> bind_local(SockAddr const &name) noexcept;

/**
 * Binds `port` for TCP and UDP at the named addresses and at loopback, or at all addresses if none is named. An address that is named twice is bound once. If this host has no IPv6, its loopback or
 * wildcard address is left out. `where`: the address that could not be bound.
 */
[[nodiscard]] Done bind_each(std::span<SockAddr const> named, uint16_t port, RpcSockets &sockets, Text<64> &where) noexcept;

/**
 * Takes a socket that another program has bound, and asks the kernel for its address. ENOTSOCK, EINVAL (a stream that does not
 * listen), ...
 */
[[nodiscard]] Result<RpcSocket> adopt(Fd fd) noexcept;

/**
 * Joins ff02::202, the multicast group of RFC 1833, section 2.2.2, on every interface with multicast, and leaves it on interfaces that
 * are gone. It does nothing unless the socket is of udp6.
 */
void join_groups(RpcSocket &socket, Interfaces const &interfaces) noexcept;

} // namespace pm::rpc
