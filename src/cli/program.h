/** Executing the next program, and the signals that end a program. */
#pragma once

#include "cli/say.h"
#include "libpm/os/environment.h"
#include "libpm/os/signals.h"
#include "libpm/util/skalibs.h"
#include "libpm/util/text.h"

namespace pm {

/**
 * Executes `argv`, looked up in PATH, with the changed environment. Returns only if exec fails: it has printed the reason, and
 * returns the exit code, 126 or 127. Ends the program with 111 if the environment cannot be made.
 */
[[nodiscard]] int execute(Environment const &environment, char const *const *argv) noexcept;

/**
 * Traps SIGTERM, SIGINT and SIGHUP, so that the program can clean up before it ends. Ignores SIGPIPE. Ends the program if it
 * fails.
 */
[[nodiscard]] Signals trap_ends() noexcept;

} // namespace pm
