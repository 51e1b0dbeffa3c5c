#include <pm/base/privileges.h>
#include <pm/base/say.h>
#include <pm/super/identity.h>
#include <stdlib.h>
#include <unistd.h>

namespace pm::super {

namespace {
template <class Number>
Number number_in(Options const &options, char const *variable) noexcept {
  char const *const text = ::getenv(variable);
  auto const n = number<Number>(text ? text : "");
  if (!n || *n == static_cast<Number>(-1))
    options.refuse((Text<64>("-U needs a number in the environment: ") << variable).view());
  return *n;
}
} // namespace

void Identity::add_environment(Options const &options) noexcept {
  auto const env_user = number_in<uid_t>(options, "UID");
  auto const env_group = number_in<gid_t>(options, "GID");
  char const *const list = ::getenv("GIDLIST");
  if (!list) options.refuse("-U needs numbers in the environment: GIDLIST");
  List<gid_t> env_groups;
  for (Cut rest = {{}, list, *list != 0}; rest.found;) {
    rest = cut(rest.tail, ',');
    auto const n = number<gid_t>(rest.head);
    if (!n) options.refuse("-U needs numbers in the environment: GIDLIST");
    if (!env_groups.append(*n)) die_no_memory();
  }
  if (!user) user = env_user;
  if (!group) group = env_group;
  if (!groups) groups = static_cast<List<gid_t> &&>(env_groups);
  for (char const *const variable : {"UID", "GID", "GIDLIST"}) ::unsetenv(variable);
}

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
