/** A process that this one leaves behind before it executes another program. */
#pragma once

#include <sys/types.h>
#include <span>
#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm {

/** The process that is left behind, and whose program it serves. */
struct LeftBehind {
  char const *name;             /**< as ps(1) shows it, with ` of PID`: at most 15 bytes */
  pid_t pid;                    /**< of the program */
  char const *const *arguments; /**< the last arguments of this process, which the new one overwrites */
  char const *doing;            /**< SysError::doing: starting it */
};

/**
 * Starts a double-forked child with its own session and the root as its working directory, which calls `work` and ends with 0. It
 * has the descriptors `kept`, under the same numbers, and no other; -1 in `kept` is ignored. It blocks all signals. The caller
 * gets no SIGCHLD, and no zombie remains.
 */
[[nodiscard]] Done leave_behind(LeftBehind const &what, std::span<int const> kept, Callback<void()> work) noexcept;

} // namespace pm
