/** What a client may do in a store. */
#pragma once

#include "libpm/handover/descriptor_table.h"
#include "libpm/net/access_rules.h"
#include "libpm/net/peer.h"

namespace pm::handover {

/** The rights of one client. The patterns are in the rule that admitted it. */
struct StoreRights {
  uid_t uid = 0;
  bool all = false; /**< root and the store's own user may do everything */
  Environment rule;

  [[nodiscard]] bool may_store(std::string_view name) const noexcept {
    return all || matches(rule.value_of("PM_FDSTORE_STORE"), name);
  }
  [[nodiscard]] bool may_get(std::string_view name) const noexcept {
    return all || matches(rule.value_of("PM_FDSTORE_GET"), name);
  }
  [[nodiscard]] bool may_list(std::string_view name) const noexcept {
    return all || matches(rule.value_of("PM_FDSTORE_LIST"), name);
  }
  /** A user may drop the descriptors that it stored, if it may still store their names. */
  [[nodiscard]] bool may_drop(StoredDescriptor const &stored) const noexcept {
    return all || (stored.owner == uid && may_store(stored.name.view()));
  }
};

/** Returns nothing if no rule admits the client, or if its uid names many users. `rules`: a directory, or null for none. Fails if a rule cannot be read. */
[[nodiscard]] Result<std::optional<StoreRights>> rights_of(Peer const &peer, char const *rules) noexcept;

} // namespace pm::handover
