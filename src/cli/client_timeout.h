/** The option -t of the programs that ask a registry or a service. */
#pragma once

#include "cli/arguments.h"
#include "libpm/os/time.h"

namespace pm {

/** The time limit of a program's questions. If the user gives it, it also covers the wait for a server that does not run yet. */
struct ClientTimeout {
  std::optional<uint32_t> given; /**< ms; 0: no limit */

  /** Whether a registry or a service that does not exist yet is waited for. If false, it is an error. */
  [[nodiscard]] bool awaits() const noexcept { return given.has_value(); }
  /** The deadline, from now. */
  [[nodiscard]] Deadline start() const noexcept { return time_limit(given.value_or(10000)); }
};

/** Sets a ClientTimeout. */
template <auto... Path>
consteval auto timeout_option() noexcept {
  return option<as_number<>, Path..., &ClientTimeout::given>(
      't', "MS", "the time limit (default 10000; 0: none); if given, also wait for a missing server");
}

} // namespace pm
