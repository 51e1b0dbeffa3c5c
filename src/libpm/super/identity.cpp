#include <pm/super/identity.h>

#include <pm/base/privileges.h>
#include <unistd.h>

namespace pm::super {

Done Identity::become() noexcept {
  if (!user && !group && !groups) return {};
  List<gid_t> all;
  if (groups) {
    all = static_cast<List<gid_t> &&>(*groups);
  } else if (!user) {
    auto own = own_groups();
    if (!own) return fail(own);
    all = static_cast<List<gid_t> &&>(*own);
  }
  gid_t const primary = group ? *group : user ? primary_group(*user) : ::getegid();
  return pm::become(user.value_or(::geteuid()), primary, {all.begin(), all.size()});
}

} // namespace pm::super
