/** Changes the user of this process permanently. */
#pragma once

#include <pm/types.h>
#include <sys/types.h>
#include <span>
#include "libpm/util/result.h"

namespace pm {

/** The gid in the user's passwd(5) entry; for a user without an entry, the number of the uid. A user's files get this group. */
[[nodiscard]] gid_t primary_group(uid_t uid) noexcept;

/** The supplementary groups of this process. */
[[nodiscard]] Result<List<gid_t>> own_groups() noexcept;

/** Sets the supplementary groups, the gid, then the uid; gid and uid are real, effective and saved. EPERM: not root, and something changes. */
[[nodiscard]] Done become(uid_t uid, gid_t gid, std::span<gid_t const> groups) noexcept;

} // namespace pm
