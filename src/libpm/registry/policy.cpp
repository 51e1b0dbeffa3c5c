#include "libpm/registry/policy.h"

#include "libpm/util/text.h"

namespace pm::registry {

bool Policy::allows(std::string_view service) const noexcept {
  return names.empty() || matches(names, service);
}

} // namespace pm::registry
