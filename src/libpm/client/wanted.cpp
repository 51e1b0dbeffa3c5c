#include "libpm/client/wanted.h"

#include "libpm/message/status.h"

namespace pm::client {

namespace {

int refuse(Status reason, std::string_view text, size_t index) noexcept {
  Error error = message::error_of(reason, text);
  error.index = static_cast<uint32_t>(index);
  return fail(error);
}

} // namespace

int read_query(struct pm_query const *query, size_t index, WantedServices &wanted) noexcept {
  using registry::TrustedUsers;
  if (!query) return refuse(Status::invalid_parameter, "no query", index);
  if (query->flags & ~unsigned{PM_OF_VERSION | PM_ANYONE}) return refuse(Status::invalid_parameter, "unknown flags", index);
  if (query->service) {
    if (!registry::is_service_name(query->service)) return refuse(Status::bad_name, describe(Status::bad_name), index);
    wanted.service << query->service;
  }
  if (query->flags & PM_OF_VERSION) wanted.version = query->version;
  if (query->netid && !(wanted.netid = pm::netid(query->netid)))
    return refuse(Status::bad_address, "not a netid: tcp tcp6 udp udp6 local none", index);
  if (query->flags & PM_ANYONE) {
    wanted.trust = TrustedUsers::anyone();
  } else if (query->users) {
    if (!query->user_count) return refuse(Status::invalid_parameter, "no users", index);
    if (query->user_count > TrustedUsers::most) return refuse(Status::invalid_parameter, "more than 16 users", index);
    wanted.trust = TrustedUsers::user(query->users[0]);
    for (size_t i = 1; i < query->user_count; ++i) (void)wanted.trust.add(query->users[i]);
  }
  return 0;
}

} // namespace pm::client
