/** A socket that a super-server serves. */
#pragma once

#include "libpm/net/first_datagram.h"

namespace pm::super {

/** A listening Unix or TCP socket, or a bound datagram socket. */
struct ServedSocket {
  int fd = -1; /**< -1: nothing more is accepted */
  SockAddr address;
  bool datagrams = false;
  pid_t program = 0;     /**< the program that has the datagram socket; 0: none */
  std::string_view name; /**< its name in LISTEN_FDNAMES or on the command line; empty: none */

  std::optional<FirstDatagram> first = {}; /**< the datagram that the last program was started for */
  uint32_t unread_starts = 0;              /**< how many programs in a row have left it unread */
  bool is_discard_logged = false;          /**< a datagram was discarded, and no program has read one since */

  /**
   * Checks descriptor `fd`, and makes it close-on-exec. EINVAL: it neither listens nor is a bound datagram
   * socket. EAFNOSUPPORT: it is neither an IP nor a Unix socket. ENOTSOCK.
   */
  [[nodiscard]] static Result<ServedSocket> adopt(int fd, std::string_view name) noexcept;
  [[nodiscard]] bool is_local() const noexcept { return address.is_local(); }
};

} // namespace pm::super
