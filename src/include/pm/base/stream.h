/** Writing to, and waiting for, whoever is on the other side: with a deadline, and never by setting O_NONBLOCK on what others share. */
#ifndef PM_BASE_STREAM_H
#define PM_BASE_STREAM_H

#include <pm/base/result.h>
#include <pm/base/time.h>
#include <string_view>

namespace pm {

/** Waits until `fd` has one of `events` (poll(2)), or an error or a hang-up. ETIMEDOUT, or ECANCELED when `stop` (-1: none) is readable first. */
[[nodiscard]] Done wait_for(int fd, short events, Deadline deadline, int stop = -1) noexcept;

/** Writes all of it. ETIMEDOUT, ECANCELED as above; EPIPE without a SIGPIPE. */
[[nodiscard]] Done write_all(int fd, std::string_view bytes, Deadline deadline, int stop = -1) noexcept;

} // namespace pm

#endif
