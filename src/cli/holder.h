/** The holder: a process that keeps a token open, so that the registered program does not have to. */
#pragma once

#include "libpm/os/sys.h"
#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm::registry {

/** The task of a holder. An invalid descriptor means that this part of the task is absent. */
struct HolderTask {
  Fd process;                             /**< the pidfd of the registered process, with which the holder ends */
  pid_t pid = 0;                          /**< its pid, for the holder's arguments */
  char const *const *arguments = nullptr; /**< the last arguments of this process, which the holder overwrites */
  Fd token;             /**< the token to hold; invalid: the program holds the token, and the holder ends once it has published */
  Fd ready;             /**< the reading end of the pipe that reports when to publish */
  bool newline = false; /**< publish on a newline in `ready`, as in s6; if false: when `ready` ends without a byte, at exec */
  int keep = -1;        /**< a descriptor that `publish` uses; closed afterwards; -1: none */
  Fd forward;           /**< gets a newline after publishing, for a process that waits for the program's readiness */
};

/**
 * Starts a holder: a double-forked child with its own session and the root as its working directory. It keeps the task's
 * descriptors open, under the same numbers, and standard error until it has published. It closes all others. Signals do not end
 * it, and ps(1) shows it as pm-holder. It ends when the registered process ends: this one, even if it has executed another program,
 * or another. It also ends when the registration is removed: the token then has a byte to read and a link count of 0.
 *
 * The holder calls `publish` once, when `ready` reports it. The argument is the pidfd: when it is readable, give up. `publish`
 * returns whether the holder may write the newline to `forward`. If the registration was removed before, the holder does not call
 * `publish` but still writes the newline, because the program is ready.
 *
 * The caller gets no SIGCHLD, and no zombie remains.
 */
[[nodiscard]] Done start_holder(HolderTask task, Callback<bool(int)> publish) noexcept;

/**
 * Whether the registration of a token that became readable was removed. Reads from the token once, at most 4096 bytes, so that a
 * process that keeps writing to the token cannot keep this process busy.
 */
[[nodiscard]] bool was_released(int token) noexcept;

} // namespace pm::registry
