/**
 * UCSPI, https://cr.yp.to/proto/ucspi.txt: what is said of a connection by environment variables, PROTO and then IPC...,
 * TCP... or UDP..., and a client's two descriptors.
 */
#ifndef PM_BASE_UCSPI_H
#define PM_BASE_UCSPI_H

#include <pm/base/environment.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <string_view>

namespace pm::ucspi {

/** The value of PROTO if that is the variable (NAME=VALUE); else empty. */
[[nodiscard]] std::string_view protocol_in(std::string_view variable) noexcept;
/** What PROTO is here; empty where there is none. */
[[nodiscard]] std::string_view own_protocol() noexcept;
/** Whether NAME=VALUE is said of a connection of that protocol: LOCAL..., REMOTE... or CONN... behind its name. What begins with its name alone may be LD_PRELOAD, of a protocol called LD. */
[[nodiscard]] bool belongs(std::string_view variable, std::string_view protocol) noexcept;
/** Whether NAME=VALUE is said of a connection that a super-server of whatever kind has made: PROTO itself, or one that belongs to IPC, TCP, UDP. */
[[nodiscard]] bool is_said(std::string_view variable) noexcept;

/** Unsets all that is said of another connection, also one of PROTO's own protocol, or of `protocol`. */
void forget(Environment &environment, std::string_view protocol = {}) noexcept;

/** What a client says of its connection to the Unix socket at `path`, in place of what is said of another one. */
void describe_local(std::string_view path, Environment &environment) noexcept;
/** The same of one over IP, by the socket's own names; `protocol`: TCP or UDP. */
[[nodiscard]] Done describe_ip(int socket, char const *protocol, Environment &environment) noexcept;

/** A client's descriptors: reading, writing. */
inline constexpr int reading = 6, writing = 7;
/** Makes both the connection, not close-on-exec; it may have got one of these numbers itself. */
[[nodiscard]] Done give(Fd connection) noexcept;

} // namespace pm::ucspi

#endif
