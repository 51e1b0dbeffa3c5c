/** Runs a call that waits without a deadline, of the kernel or the C library, in a child process. */
#pragma once

#include <sys/types.h>
#include <span>
#include "libpm/os/time.h"
#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * Forks a child that calls `work` and ends. `work` writes its answer to the pipe in one write. The child does not outlive this
 * process and causes no SIGCHLD. Returns the size of the answer in bytes; 0: there was none. ETIMEDOUT, ECANCELED (`stop` is
 * readable): the child was killed.
 */
[[nodiscard]] Result<size_t> in_child(Callback<void(int pipe)> work, std::span<char> answer, char const *doing,
                                      Limit limit) noexcept;

/** Forks a child that calls `work` and ends, with `flags` of clone(2). It causes no SIGCHLD. Returns its pid; -1 and errno. */
[[nodiscard]] pid_t start_child(int flags, Callback<void()> work) noexcept;

} // namespace pm
