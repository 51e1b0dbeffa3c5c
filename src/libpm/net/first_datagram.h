/** The first datagram in the queue of a socket, before a program has received it. */
#pragma once

#include <optional>
#include "libpm/net/sock_addr.h"

namespace pm {

struct FirstDatagram {
  char arrival[16] = {}; /**< the kernel's time of arrival, which it keeps with the datagram */
  char start[64] = {};   /**< its first bytes */
  size_t size = 0;       /**< of the whole datagram */
  SockAddr sender;       /**< a Unix socket: without a name, if it has none */

  /** Nothing: the queue is empty, or the kernel does not report the time. The datagram stays in the queue, with its descriptors. */
  [[nodiscard]] static std::optional<FirstDatagram> look(int socket) noexcept;
  /** Removes it from the queue. The kernel closes its descriptors. */
  static void discard(int socket) noexcept;

  /** Whether both are the same datagram. A copy that the sender sends again is another one. */
  [[nodiscard]] bool is_same(FirstDatagram const &other) const noexcept;
};

} // namespace pm
