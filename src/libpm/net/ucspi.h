/**
 * UCSPI, https://cr.yp.to/proto/ucspi.txt: the environment variables that describe a connection (PROTO, and IPC..., TCP... or
 * UDP...), and the two descriptors of a client.
 */
#pragma once

#include <string_view>
#include "libpm/os/environment.h"
#include "libpm/os/sys.h"
#include "libpm/util/result.h"

namespace pm::ucspi {

/** The value of `variable` (NAME=VALUE) if its name is PROTO; empty otherwise. */
[[nodiscard]] std::string_view protocol_in(std::string_view variable) noexcept;
/** The value of PROTO in this process; empty if it is not set. */
[[nodiscard]] std::string_view own_protocol() noexcept;
/**
 * Whether NAME=VALUE describes a connection of `protocol`: NAME is the protocol and LOCAL..., REMOTE... or CONN.... The protocol
 * alone is not enough: LD_PRELOAD would belong to a protocol LD.
 */
[[nodiscard]] bool belongs(std::string_view variable, std::string_view protocol) noexcept;
/** Whether NAME=VALUE describes a connection of any super-server: it is PROTO, or belongs to IPC, TCP or UDP. */
[[nodiscard]] bool is_said(std::string_view variable) noexcept;

/** Unsets all variables that describe another connection, also those of PROTO's protocol and of `protocol`. */
void forget(Environment &environment, std::string_view protocol = {}) noexcept;

/**
 * Sets the variables of a client that is connected to the Unix socket at `path`. Those of another connection are unset, and
 * wrong PM_FD_NAMEs.
 */
void describe_local(std::string_view path, Environment &environment) noexcept;
/** The same for a connection over IP, from the addresses of the socket; `protocol`: TCP or UDP. */
[[nodiscard]] Done describe_ip(int socket, char const *protocol, Environment &environment) noexcept;

/** The descriptors of a client. */
inline constexpr int reading = 6, writing = 7;
/** Makes both descriptors the connection, not close-on-exec. `connection` may have one of these numbers already. */
[[nodiscard]] Done give(Fd connection) noexcept;

} // namespace pm::ucspi
