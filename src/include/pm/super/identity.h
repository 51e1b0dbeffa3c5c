/** Whom a program of root's becomes once it has what only root may have. */
#ifndef PM_SUPER_IDENTITY_H
#define PM_SUPER_IDENTITY_H

#include <pm/base/list.h>
#include <pm/base/result.h>
#include <sys/types.h>
#include <optional>

namespace pm::super {

/** What is not said stays as it is, but for the groups of another user: he has none, and his primary group. */
struct Identity {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  std::optional<List<gid_t>> groups;

  /** For good. EPERM: not root. Once. */
  [[nodiscard]] Done become() noexcept;
};

} // namespace pm::super

#endif
