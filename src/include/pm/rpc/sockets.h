/** The sockets of an RPC server. */
#ifndef PM_RPC_SOCKETS_H
#define PM_RPC_SOCKETS_H

#include <pm/base/fd.h>
#include <pm/base/list.h>
#include <pm/base/result.h>
#include <pm/rpc/universal.h>

namespace pm::onc {

/** One that calls come to: bound, and listening if it is a stream's; non-blocking. */
struct Socket {
  Fd fd;
  Netid netid = Netid::none;
  uint16_t port = 0; /**< 0: local */
};

/** A server's: it owns them, and each stays where it is. */
class Sockets : public List<Socket *> {
 public:
  Sockets() noexcept = default;
  Sockets(Sockets &&) noexcept = default;
  Sockets &operator=(Sockets &&) = delete;
  ~Sockets();

  [[nodiscard]] Done keep(Socket socket) noexcept;
  /** The first of a netid; null: none. */
  [[nodiscard]] Socket const *find(Netid netid) const noexcept;
};

/** Binds to an IP address; IPv6 is IPv6 only. EADDRINUSE; EAFNOSUPPORT, EADDRNOTAVAIL: this host has no such address. */
[[nodiscard]] Result<Socket> bind_ip(Netid netid, Endpoint const &address) noexcept;

/**
 * Binds `port` by TCP and UDP of the addresses named and of loopback, or, where none is named, of all; hears calls to ff02::202
 * there. An address named twice is bound once; what this host has no loopback or wildcard of is left out. `where`: what could not be bound.
 */
[[nodiscard]] Done bind_each(std::span<Endpoint const> named, uint16_t port, Sockets &sockets, Text<64> &where) noexcept;

/** Takes a socket that somebody else has bound: what it is, it says itself. ENOTSOCK, EINVAL (a stream that does not listen), ... */
[[nodiscard]] Result<Socket> adopt(Fd fd) noexcept;

/** Hears calls to ff02::202, RFC 1833, section 2.2.2's multicast, on every interface that can. */
void join_groups(Socket const &socket) noexcept;

} // namespace pm::onc

#endif
