/** The owner of a socket on this host, as the kernel reports it: sock_diag(7). */
#pragma once

#include <optional>
#include "libpm/net/sock_addr.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * The user who made the socket that listens at a tcp or tcp6 address of this host. Nothing: the address belongs to another host.
 * ENOENT: no socket listens there. EPROTONOSUPPORT and others: this kernel does not report it.
 */
[[nodiscard]] Result<std::optional<uid_t>> listener_at(Address const &address) noexcept;

/**
 * The user who made the peer's socket of a TCP connection on this host, from the address `theirs` to `ours`. ENOENT: the peer has
 * closed its socket, or one direction of it, so the kernel names no user. EPROTONOSUPPORT and others: this kernel does not report
 * it.
 */
[[nodiscard]] Result<uid_t> peer_owner(int connection, SockAddr const &theirs, SockAddr const &ours) noexcept;

/**
 * The user who made the UDP socket that sent a datagram from the address `theirs` of this host. ENOENT: there is no such socket by
 * now. ENOTUNIQ: sockets of several users can have sent it, as they have its port, or can have had it: SO_REUSEADDR, SO_REUSEPORT.
 * EPROTONOSUPPORT and others: this kernel does not report it.
 */
[[nodiscard]] Result<uid_t> sender_owner(SockAddr const &theirs) noexcept;

/**
 * The user who made the Unix socket that gets the datagrams of `socket`, which is connected to it. ENOENT: that socket has been closed, or
 * is in another network namespace; or this kernel does not report it (Linux before 5.3).
 */
[[nodiscard]] Result<uid_t> datagram_peer_owner(int socket) noexcept;

} // namespace pm
