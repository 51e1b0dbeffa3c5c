/** What a registrant may do. The caller decides it, and passes it with each call. */
#pragma once

#include <stdint.h>
#include <string_view>

namespace pm::registry {

struct Policy {
  uint32_t per_process = 64; /**< the limit of registrations of one process; 0: none */
  uint32_t per_user = 1024;  /**< the limit of registrations of one user; 0: none */
  bool shares_room = true;   /**< it may use at most as much of the registry's file system as it leaves free for others */
  std::string_view names;    /**< blank-separated patterns, fnmatch(3), one of which a service must match; empty: any service */

  /** For the registry's owner and for root. */
  [[nodiscard]] static constexpr Policy unlimited() noexcept { return {0, 0, false, {}}; }

  [[nodiscard]] bool allows(std::string_view service) const noexcept;
};

} // namespace pm::registry
