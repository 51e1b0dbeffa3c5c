/** A socket that a super-server serves. */
#pragma once

#include "libpm/net/sock_addr.h"

namespace pm::super {

/** A listening Unix or TCP socket, or a bound datagram socket. */
struct ServedSocket {
  int fd = -1; /**< -1: nothing more is accepted */
  SockAddr address;
  bool datagrams = false;
  bool in_use = false;   /**< a program has the datagram socket */
  std::string_view name; /**< its name in LISTEN_FDNAMES or on the command line; empty: none */

  /**
   * Checks descriptor `fd`, and makes it close-on-exec. EINVAL: it neither listens nor is a bound datagram
   * socket. EAFNOSUPPORT: it is neither an IP nor a Unix socket. ENOTSOCK.
   */
  [[nodiscard]] static Result<ServedSocket> adopt(int fd, std::string_view name) noexcept;
  [[nodiscard]] bool is_local() const noexcept { return address.is_local(); }
};

} // namespace pm::super
