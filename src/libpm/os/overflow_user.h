/** The uid that stands for many users. */
#pragma once

#include <sys/types.h>

namespace pm {

/**
 * Whether the kernel may mean another user than `uid` when it reports `uid` to this process. In a user namespace that does not map
 * every user, it reports the overflow uid (65534, or /proc/sys/kernel/overflowuid) for each user without a number there. If /proc
 * cannot be read, 65534 is taken for that uid. user_namespaces(7).
 */
[[nodiscard]] bool is_overflow_user(uid_t uid) noexcept;

} // namespace pm
