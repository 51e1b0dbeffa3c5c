#include "libpm/os/privileges.h"

#include <pwd.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/os/sys.h"

namespace pm {

gid_t primary_group(uid_t uid) noexcept {
  struct passwd const *const user = ::getpwuid(uid);
  return user ? user->pw_gid : uid;
}

Result<List<gid_t>> own_groups() noexcept {
  constexpr char const *doing = "get the groups of";
  List<gid_t> groups;
  int const count = sys::getgroups(0, nullptr);
  if (count < 0) return failed(doing);
  for (int i = 0; i < count; ++i)
    if (!groups.append(0)) return failed(doing, ENOMEM);
  if (sys::getgroups(count, groups.begin()) != count) return failed(doing);
  return groups;
}

Done become(uid_t uid, gid_t gid, std::span<gid_t const> groups) noexcept {
  constexpr char const *doing = "become the user of";
  auto const own = own_groups();
  if (!own) return fail(own);
  // setgroups(2) needs privileges even if nothing changes.
  bool const are_set = std::equal(groups.begin(), groups.end(), own->begin(), own->end());
  if ((!are_set && sys::setgroups(groups.size(), groups.data()) < 0) || sys::setgid(gid) < 0 || sys::setuid(uid) < 0)
    return failed(doing);
  // Dropping root must be irreversible, and some kernels have reported success without a change.
  if (uid != 0 && (::geteuid() != uid || ::getuid() != uid || sys::setuid(0) == 0)) return failed(doing, EPERM);
  return {};
}

} // namespace pm
