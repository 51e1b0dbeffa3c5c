/** The executables that processes announce. */
#pragma once

#include <optional>
#include "libpm/os/process.h"
#include "libpm/registry/layout.h"
#include "libpm/registry/transaction.h"
#include "libpm/registry/tree.h"

namespace pm::registry {

/** Makes exe/PID lead to an announcement, in one step. While that is reserved, the link leads to nothing. `name`: as entry_name(). */
[[nodiscard]] Done link_announcement(Transaction &transaction, std::string_view owner, std::string_view name) noexcept;

/** The last announcement of a process with that number, alive or dead, reserved or published. ENOENT: there is none; EBADMSG. */
[[nodiscard]] Result<Ticket> announcement_of(int dir, pid_t pid) noexcept;

/** The executable in an announcement, without the flag. An empty path: the announcement is gone. */
[[nodiscard]] Result<Executable> executable_of(int dir, Ticket const &announcement) noexcept;

/**
 * The executable that process `pid` has announced. The process may lie: do not use it to authenticate. Nothing: the process has not
 * announced one or has ended, or its number now belongs to another process. It takes no lock and does not search: it reads two links, tests
 * a token, and reads the start time of the process. is_hidden_process(): /proc does not show that.
 */
[[nodiscard]] Result<std::optional<Executable>> announced(Tree const &tree, pid_t pid) noexcept;

} // namespace pm::registry
