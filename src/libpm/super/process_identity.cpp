#include "libpm/super/process_identity.h"

#include <unistd.h>
#include "libpm/os/privileges.h"

namespace pm::super {

Done ProcessIdentity::become() noexcept {
  if (!user && !group && !groups) return {};
  // A user who is this already, without privileges, keeps the groups: only root can change them.
  bool const keeps_groups = !user || (*user != 0 && *user == ::geteuid());
  List<gid_t> all;
  if (groups) {
    all = std::move(*groups);
  } else if (keeps_groups) {
    auto own = own_groups();
    if (!own) return fail(own);
    all = std::move(*own);
  }
  gid_t const primary = group ? *group : keeps_groups ? ::getegid() : primary_group(*user);
  return pm::become(user.value_or(::geteuid()), primary, {all.begin(), all.size()});
}

} // namespace pm::super
