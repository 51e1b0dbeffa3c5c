#include <pm/registry/policy.h>

#include <fnmatch.h>
#include <pm/base/text.h>
#include <pm/registry/record.h>

namespace pm::registry {

bool Policy::allows(std::string_view service) const noexcept {
  if (names.empty()) return true;
  Text<service_name_max + 1> const name(service);
  for (auto rest = names; !rest.empty();) {
    auto const [pattern, after, more] = cut(rest, ' ');
    rest = after;
    Text<512> const p(pattern);
    if (p.size() && !p.overflowed() && ::fnmatch(p.c_str(), name.c_str(), 0) == 0) return true;
  }
  return false;
}

} // namespace pm::registry
