/** Publishing a reservation when its program is ready. */
#pragma once

#include "libpm/registry/change.h"
#include "libpm/util/log.h"

namespace pm::registry {

/**
 * Publishes the reservations of process `pid`, with its executable if that is public and can be read. Waits for the registry's
 * lock until `process`, a pidfd, is readable. False: publishing failed, and the log has the reason, unless the process has
 * ended. Reservations that were removed meanwhile are not published, which is not a failure.
 */
[[nodiscard]] bool publish_ready(Tree const &tree, Route route, std::span<Ticket const> tickets, bool is_public, pid_t pid,
                                 int process, Log &log) noexcept;

} // namespace pm::registry
