#include "libpm/handover/store_rights.h"

#include <unistd.h>
#include "libpm/os/overflow_user.h"

namespace pm::handover {

Result<std::optional<StoreRights>> rights_of(Peer const &peer, char const *rules) noexcept {
  if (is_overflow_user(peer.uid)) return std::nullopt;
  StoreRights rights;
  rights.uid = peer.uid;
  rights.all = peer.uid == 0 || peer.uid == ::geteuid();
  if (rights.all) return rights;
  if (!rules) return std::nullopt;
  // The rules are read again for each client, so that a change applies to the next one.
  auto opened = AccessRules::open(rules);
  if (!opened) return fail(opened);
  auto const verdict = opened->decide(peer);
  if (!verdict) return fail(verdict);
  if (*verdict != AccessRules::Verdict::allow) return std::nullopt;
  if (auto const read = opened->read_environment(rights.rule); !read) return fail(read);
  return rights;
}

} // namespace pm::handover
