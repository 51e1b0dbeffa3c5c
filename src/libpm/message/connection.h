/** The messages that a pm::Connection sends by itself, and its buffers. */
#pragma once

#include "libpm/message/incoming.h"
#include "libpm/message/outgoing.h"

namespace pm::message {

/** The first message of each side: the version of this protocol, and the longest packet that the side receives. */
struct Hello {
  static constexpr uint32_t type = 0xfffffffe;
  static constexpr uint32_t this_version = 0x706d0001;
  uint32_t version = this_version, packet_size = 0;
  static auto fields(auto &m) noexcept { return std::tie(m.version, m.packet_size); }
};

/** Sent in place of a message of the protocol. */
struct ErrorMessage {
  static constexpr uint32_t type = 0xffffffff;
  Status status = Status::ok;
  static auto fields(auto &m) noexcept { return std::tie(m.status); }
};

/** Both directions of a connection, from the hello on. */
struct Traffic {
  Traffic(int socket, uint32_t payload_most) noexcept : incoming(socket, payload_most) {}
  Incoming incoming;
  Outgoing outgoing;
};

} // namespace pm::message
