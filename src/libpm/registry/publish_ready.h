/** Publishing a reservation when its program is ready. */
#pragma once

#include "libpm/registry/change.h"
#include "libpm/util/log.h"

namespace pm::registry {

/**
 * Publishes the reservations of process `pid`, with its executable if that is public and can be read. Tries until `process`, a pidfd,
 * is readable: a missing service, a lack of room or of descriptors and every other system error may pass (Retry). The log gets each
 * reason once. False: the process has ended first. Reservations that were removed meanwhile are not published, which is not a failure.
 */
[[nodiscard]] bool publish_ready(Tree const &tree, Route route, std::span<Ticket const> tickets, bool is_public, pid_t pid,
                                 int process, Log &log) noexcept;

} // namespace pm::registry
