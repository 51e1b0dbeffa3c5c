/** Sharing the places of a server among its clients. */
#pragma once

#include <stdint.h>

namespace pm {

/** Places that clients take, such as connections. */
struct Places {
  uint32_t most, taken;

  [[nodiscard]] constexpr uint32_t free() const noexcept { return most - taken; }
  /** How many are only for root and the server's own user: an eighth, rounded up, but not a single place. */
  [[nodiscard]] constexpr uint32_t reserve() const noexcept { return most > 1 ? (most + 7) / 8 : 0; }
  /**
   * Whether a client that has `own` places may take one more: it leaves `kept` free, and more are free without these than it has. So a few
   * clients with many connections leave places to those that come later.
   */
  [[nodiscard]] constexpr bool has_share_for(uint32_t own, uint32_t kept) const noexcept {
    return free() > kept && own < free() - kept;
  }
};

} // namespace pm
