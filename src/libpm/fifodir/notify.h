/** Sends an event. */
#pragma once

#include <limits.h>
#include <string_view>
#include "libpm/util/result.h"

namespace pm::fifodir {

/** The longest message, in bytes: a FIFO accepts it as a whole or not at all, pipe(7). */
inline constexpr size_t message_max = PIPE_BUF;

/**
 * Writes `message` as a whole to each listener of the fifodir `path` under `dir` (AT_FDCWD: the working directory). Returns the
 * number of listeners that got it. A listener whose FIFO is full does not get it, and delays nothing. EINVAL: the message is
 * empty, EMSGSIZE: it is too long; ENOENT, ENOTDIR, EACCES: the fifodir.
 */
[[nodiscard]] Result<unsigned> notify(int dir, char const *path, std::string_view message) noexcept;

} // namespace pm::fifodir
