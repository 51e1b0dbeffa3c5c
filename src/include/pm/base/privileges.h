/** Becoming another user, for good. */
#ifndef PM_BASE_PRIVILEGES_H
#define PM_BASE_PRIVILEGES_H

#include <pm/base/list.h>
#include <pm/base/result.h>
#include <sys/types.h>
#include <span>

namespace pm {

/** The group a user's files get: that of his passwd(5) entry, or the number that is his uid where he has none. */
[[nodiscard]] gid_t primary_group(uid_t uid) noexcept;

/** The supplementary groups of this process. */
[[nodiscard]] Result<List<gid_t>> own_groups() noexcept;

/** Supplementary groups, gid, then uid, real, effective and saved. EPERM: not root. */
[[nodiscard]] Done become(uid_t uid, gid_t gid, std::span<gid_t const> groups) noexcept;

} // namespace pm

#endif
