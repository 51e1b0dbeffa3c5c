#include "libpm/client/registrations.h"

namespace pm::client {

void CopiedRegistrations::clear() noexcept {
  bytes_.clear();
  places_.clear();
}

bool CopiedRegistrations::add(registry::LiveRegistration const &registration) noexcept {
  auto const &record = registration.record;
  Copied place = {};
  std::string_view const all[texts] = {record.service, record.netid, record.address, record.exe, record.id};
  for (size_t i = 0; i < texts; ++i) {
    place.at[i] = bytes_.size();
    if (!append(bytes_, all[i]) || !bytes_.append('\0')) return false;
  }
  auto &numbers = place.numbers;
  numbers.version = record.version;
  if (record.exclusive) numbers.flags |= PM_EXCLUSIVE;
  if (record.is_public) numbers.flags |= PM_PUBLIC;
  if (record.deleted) numbers.flags |= PM_DELETED;
  numbers.user = number<uid_t>(registration.owner).value_or(static_cast<uid_t>(-1));
  numbers.process = record.pid;
  return places_.append(place);
}

struct pm_registration CopiedRegistrations::at(size_t i) const noexcept {
  auto const &place = places_[i];
  struct pm_registration one = place.numbers;
  char const *const bytes = bytes_.begin();
  one.service = bytes + place.at[0];
  one.netid = bytes + place.at[1];
  one.address = bytes + place.at[2];
  one.executable = bytes + place.at[3];
  one.id = bytes + place.at[4];
  return one;
}

} // namespace pm::client
