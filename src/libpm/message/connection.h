/** The first message of each side of a pm::Connection. */
#pragma once

#include "libpm/message/channel.h"

namespace pm::message {

/** The version of this protocol, and the size of the longest packet that the side receives, in bytes. */
struct Hello {
  static constexpr uint32_t type = 0xfffffffe;
  static constexpr uint32_t this_version = 0x706d0001;
  uint32_t version = this_version, packet_size = 0;
  static auto fields(auto &m) noexcept { return std::tie(m.version, m.packet_size); }
};

} // namespace pm::message
