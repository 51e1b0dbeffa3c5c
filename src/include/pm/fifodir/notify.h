/** Sending an event. */
#ifndef PM_FIFODIR_NOTIFY_H
#define PM_FIFODIR_NOTIFY_H

#include <limits.h>
#include <pm/base/result.h>
#include <string_view>

namespace pm::fifodir {

/** Longest message, in bytes: what a FIFO takes whole or not at all, pipe(7). */
inline constexpr size_t message_max = PIPE_BUF;

/**
 * Writes `message`, whole, to each listener of the fifodir `path` under `dir` (AT_FDCWD: from here). How many got it; one whose FIFO is full
 * does not, and blocks nobody. EINVAL: empty, EMSGSIZE: too long; ENOENT, ENOTDIR, EACCES: the fifodir.
 */
[[nodiscard]] Result<unsigned> notify(int dir, char const *path, std::string_view message) noexcept;

} // namespace pm::fifodir

#endif
