/** What a UCSPI client gives its program: https://cr.yp.to/proto/ucspi.txt */
#ifndef PM_BASE_UCSPI_H
#define PM_BASE_UCSPI_H

#include <pm/base/environment.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>

namespace pm::ucspi {

/** The client's descriptors: reading, writing. */
inline constexpr int reading = 6, writing = 7;

/** Makes both the connection, not close-on-exec; it may have got one of these numbers itself. */
[[nodiscard]] Done give(Fd connection) noexcept;

/** The environment of a connection to the Unix socket at `path`, without what a super-server around us said of another one. */
void describe_local(std::string_view path, Environment &environment) noexcept;

/** The same of a TCP connection, by the socket's own names. */
[[nodiscard]] Done describe_tcp(int socket, Environment &environment) noexcept;

} // namespace pm::ucspi

#endif
