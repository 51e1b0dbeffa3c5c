/** The number by which the kernel names a process. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <optional>

namespace pm {

/**
 * The inode number of the process's pidfd, which no other process has until the host starts again. Linux 6.9, 64 bits; elsewhere pidfds
 * have one inode, or their numbers do not fit, and there is nothing.
 */
[[nodiscard]] std::optional<uint64_t> pidfd_id(pid_t pid) noexcept;

/** Whether an ancestor of this process has that number, as far as /proc shows them. */
[[nodiscard]] bool is_ancestor(uint64_t id) noexcept;

} // namespace pm
