#include <pm/super/connections.h>

namespace pm::super {

Result<Connections> Connections::make(uint32_t most) noexcept {
  auto users_of = Table::make(most), counts = Table::make(most);
  if (!users_of) return fail(users_of);
  if (!counts) return fail(counts);
  return Connections(static_cast<Table &&>(*users_of), static_cast<Table &&>(*counts), most);
}

uint32_t Connections::count(uid_t user) noexcept {
  uint32_t const *const number = counts_.find(user);
  return number ? *number : 0;
}

void Connections::add(pid_t child, uid_t user) noexcept {
  uint32_t *const user_of = users_of_.insert(static_cast<uint32_t>(child)), *const number = counts_.insert(user);
  if (!user_of || !number) bug("more connections than there is room for");
  *user_of = user;
  ++*number;
}

std::optional<uid_t> Connections::remove(pid_t child) noexcept {
  uint32_t *const user_of = users_of_.find(static_cast<uint32_t>(child));
  if (!user_of) return std::nullopt;
  uid_t const user = *user_of;
  users_of_.remove(user_of);
  uint32_t *const number = counts_.find(user);
  if (!number) bug("a connection of nobody");
  if (--*number == 0) counts_.remove(number);
  return user;
}

} // namespace pm::super
