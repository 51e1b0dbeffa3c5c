/** The user and groups that a program started by root takes once it has bound its sockets. */
#pragma once

#include <pm/types.h>
#include <sys/types.h>
#include <optional>
#include "libpm/util/result.h"

namespace pm::super {

/**
 * An unset member leaves that value unchanged, with one exception: if `user` is set, an unset `group` means the user's primary
 * group, and unset `groups` mean no supplementary groups. If this process has this user already, and is not root's, they are unchanged.
 */
struct ProcessIdentity {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  std::optional<List<gid_t>> groups;

  /** Changes this process permanently. Call it once. EPERM: the process is not root, and something changes. */
  [[nodiscard]] Done become() noexcept;
};

} // namespace pm::super
