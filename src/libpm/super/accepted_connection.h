/** A connection that a super-server has accepted, with its client's identity. */
#pragma once

#include <pm/types.h>
#include <sys/socket.h>
#include "libpm/super/client_key.h"
#include "libpm/super/served_socket.h"

namespace pm::super {

struct AcceptedConnection {
  Fd fd;
  ServedSocket const *socket = nullptr; /**< the socket that accepted it */
  SockAddr peer;                        /**< the client's address, from accept(2) */
  SockAddr local = {};                  /**< IP only: the address that the client has connected to */
  ClientKey client = {};                /**< the client that the connection counts for */
  struct ucred credentials = {};        /**< Unix sockets only: the client's credentials, if `client` is known */
  uint32_t number = 0;                  /**< the client's number of connections, with this one */

  /**
   * Gets `local`, `client` and `credentials` from the kernel. Without `credentials_wanted`, a Unix socket's client stays unknown.
   * `lengths`: those of the networks that count as one client.
   */
  [[nodiscard]] Done identify(bool credentials_wanted, PrefixLengths lengths) noexcept;
  [[nodiscard]] bool is_client_known() const noexcept { return client.kind != ClientKey::unknown; }
  /** UID:GID, HOST:PORT, or "?:?" for an unknown client: "1000:1000", "127.0.0.1:1234". */
  [[nodiscard]] Text<72> peer_text() const noexcept;
  /** The client, and not its network. */
  [[nodiscard]] ClientKey whole_client() const noexcept {
    return client.kind == ClientKey::address ? ClientKey::of_address(peer, whole_address) : client;
  }
};

} // namespace pm::super
