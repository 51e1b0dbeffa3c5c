/** The registrant's own side of a registration. */
#ifndef PM_REGISTRY_REGISTRANT_H
#define PM_REGISTRY_REGISTRANT_H

#include <pm/registry/editor.h>

namespace pm::registry {

/** This process as the kernel knows it: effective uid, pid, start time. */
[[nodiscard]] Result<Registrant> this_process() noexcept;

/**
 * Publishes what process `pid` reserved, with its executable if that is public and can be read. Waits for the registry's
 * lock until `process`, a pidfd, is readable. False: it should have been published and is not; standard error says why,
 * unless the process has ended. What was removed meanwhile need not be published.
 */
[[nodiscard]] bool publish_ready(Registry const &registry, Way way, std::span<Ticket const> tickets, bool is_public, pid_t pid,
                                 int process) noexcept;

} // namespace pm::registry

#endif
