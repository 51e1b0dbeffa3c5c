/** Who may do what in a store. */
#ifndef PM_FDSTORE_RIGHTS_H
#define PM_FDSTORE_RIGHTS_H

#include <pm/base/peer.h>
#include <pm/fdstore/store.h>
#include <pm/super/access.h>

namespace pm::fdstore {

/** Of one client. The patterns are those of the rule that let it in. */
struct Rights {
  uid_t uid = 0;
  bool all = false; /**< root, and the store's own user */
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
  /** One's own, of a name that one may store. */
  [[nodiscard]] bool may_drop(Entry const &entry) const noexcept {
    return all || (entry.owner == uid && may_store(entry.name.view()));
  }
};

/** Nothing: no rule lets it in. `rules`: a directory, or null for none. A rule that cannot be read lets nobody in: it is said, and a failure. */
[[nodiscard]] Result<std::optional<Rights>> rights_of(Peer const &peer, char const *rules) noexcept;

} // namespace pm::fdstore

#endif
