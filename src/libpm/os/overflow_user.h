/** The uid and gid that stand for many users and groups, inside a user namespace: user_namespaces(7). */
#pragma once

#include <sys/types.h>
#include <optional>

namespace pm {

/**
 * The uid that the kernel shows for every user that this process's user namespace does not map, the overflow uid. Nothing if the namespace
 * maps all users, as the initial one does: there it is an ordinary user's. It reads /proc/self/uid_map. Where that fails, the default,
 * 65534, is taken to stand for others.
 */
[[nodiscard]] std::optional<uid_t> overflow_user() noexcept;

/**
 * Whether `uid` is overflow_user(), even if the namespace has a user with that uid, too. Grant nothing to it: it does not say which user it
 * is.
 */
[[nodiscard]] bool is_overflow_user(uid_t uid) noexcept;
/** The same of groups. */
[[nodiscard]] bool is_overflow_group(gid_t gid) noexcept;

} // namespace pm
