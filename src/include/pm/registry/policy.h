/** What a registrant may do: decided outside of the core, handed in with each call. */
#ifndef PM_REGISTRY_POLICY_H
#define PM_REGISTRY_POLICY_H

#include <stdint.h>
#include <string_view>

namespace pm::registry {

struct Policy {
  uint32_t per_process = 64; /**< most registrations of one process; 0: no limit */
  uint32_t per_user = 1024;  /**< most registrations of one user; 0: no limit */
  std::string_view names;    /**< blank-separated patterns, fnmatch(3), one of which a service must match; empty: any service */

  /** For the registry's owner and for root. */
  [[nodiscard]] static constexpr Policy unlimited() noexcept { return {0, 0, {}}; }

  [[nodiscard]] bool allows(std::string_view service) const noexcept;
};

} // namespace pm::registry

#endif
