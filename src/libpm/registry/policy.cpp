#include <pm/registry/policy.h>

#include <pm/base/text.h>

namespace pm::registry {

bool Policy::allows(std::string_view service) const noexcept {
  return names.empty() || matches(names, service);
}

} // namespace pm::registry
