#include "libpm/super/process_identity.h"

#include <unistd.h>
#include "libpm/os/privileges.h"

namespace pm::super {

Done ProcessIdentity::become() noexcept {
  if (!user && !group && !groups) return {};
  List<gid_t> all;
  if (groups) {
    all = std::move(*groups);
  } else if (!user) {
    auto own = own_groups();
    if (!own) return fail(own);
    all = std::move(*own);
  }
  gid_t const primary = group ? *group : user ? primary_group(*user) : ::getegid();
  return pm::become(user.value_or(::geteuid()), primary, {all.begin(), all.size()});
}

} // namespace pm::super
