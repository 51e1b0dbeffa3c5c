/** The sockets of an RPC server. */
#ifndef PM_RPC_SOCKETS_H
#define PM_RPC_SOCKETS_H

#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/rpc/universal.h>

namespace pm::onc {

/** One that calls come to: bound, and listening if it is a stream's; non-blocking. */
struct Socket {
  Fd fd;
  Netid netid = Netid::none;
  uint16_t port = 0; /**< 0: local */
};

/** Binds to an IP address; IPv6 is IPv6 only. EADDRINUSE; EAFNOSUPPORT, EADDRNOTAVAIL: this host has no such address. */
[[nodiscard]] Result<Socket> bind_ip(Netid netid, Endpoint const &address) noexcept;

/** Takes a socket that somebody else has bound: what it is, it says itself. ENOTSOCK, EINVAL (a stream that does not listen), ... */
[[nodiscard]] Result<Socket> adopt(Fd fd) noexcept;

/** Hears calls to ff02::202, RFC 1833, section 2.2.2's multicast, on every interface that can. */
void join_groups(Socket const &socket) noexcept;

} // namespace pm::onc

#endif
