/** Waits and writes with a time limit. Other processes may share the open file, so O_NONBLOCK is never set. */
#pragma once

#include <poll.h>
#include <string_view>
#include "libpm/os/time.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * Waits until `fd` has one of `events` (poll(2)), an error or a hang-up. ETIMEDOUT; ECANCELED when `stop` (-1: none) is readable
 * first.
 */
[[nodiscard]] Done wait_for(int fd, short events, Limit limit) noexcept;

/** Whether `fd` has one of `events`, an error or a hang-up now. A descriptor that is closed has none. Does not wait. */
[[nodiscard]] Result<bool> is_ready(int fd, short events = POLLIN) noexcept;

/** Writes all of `bytes`. ETIMEDOUT, ECANCELED as above; EPIPE without a SIGPIPE. */
[[nodiscard]] Done write_all(int fd, std::string_view bytes, Limit limit) noexcept;

} // namespace pm
