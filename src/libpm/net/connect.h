/** Connects to a socket of any kind. */
#pragma once

#include <pm/types.h>
#include "libpm/net/sock_addr.h"
#include "libpm/os/time.h"
#include "libpm/util/callback.h"

namespace pm {

/**
 * Returns a blocking socket that is connected to `to`. `type` applies to a Unix socket. `from` is an address of the same kind to
 * bind the socket to first, or null. ETIMEDOUT, ECANCELED (`stop` is readable), ECONNREFUSED, ENETUNREACH, EADDRINUSE (`from` is
 * taken), ENOENT, EPROTOTYPE (a Unix socket of another type)...; SysError::doing tells whether bind(2) or connect(2) failed.
 */
[[nodiscard]] Result<Fd> connect_to(SockAddr const &to, int type, SockAddr const *from, Limit limit) noexcept;

/**
 * Connects a stream socket to the address of a service: tcp, tcp6 or local; a wildcard means loopback. EPROTONOSUPPORT: another
 * transport.
 */
[[nodiscard]] Result<Fd> connect_to(Address const &address, Limit limit) noexcept;

/**
 * Connects to the Unix socket of that type at `path` (SockAddr::of_path()). While the queue of the listening socket is full,
 * `stop` is checked every stop_slice_ms: connect(2) waits for room, and poll(2) cannot.
 */
[[nodiscard]] Result<Fd> connect_local(std::string_view path, Limit limit, int type = SOCK_STREAM,
                                       SockAddr const *from = nullptr) noexcept;
inline constexpr int stop_slice_ms = 50;

/**
 * Calls `connect`, which connects to the Unix socket at `path`. If no server listens there (ENOENT, ECONNREFUSED), waits until one does,
 * as pm::Retry does, and calls it again. ETIMEDOUT, ECANCELED.
 */
[[nodiscard]] Result<Fd> await_server(char const *path, Limit limit, Callback<Result<Fd>()> connect) noexcept;

} // namespace pm
