/** Reading what processes announce: whose executable a pid is. */
#ifndef PM_REGISTRY_ANNOUNCED_H
#define PM_REGISTRY_ANNOUNCED_H

#include <pm/base/process.h>
#include <pm/registry/layout.h>
#include <pm/registry/registry.h>
#include <optional>

namespace pm::registry {

/** The last announcement of a process with that number, alive or dead, reserved or published. ENOENT: there is none; EBADMSG. */
[[nodiscard]] Result<Ticket> announcement_of(int dir, pid_t pid) noexcept;

/**
 * The executable that process `pid` announced, by its own word: it authenticates nobody. Nothing: it never did, has ended, or
 * its number is another process's by now. No lock and no search: a link, a test for life, a record, and the pid's start time.
 */
[[nodiscard]] Result<std::optional<Executable>> announced(Registry const &registry, pid_t pid) noexcept;

} // namespace pm::registry

#endif
