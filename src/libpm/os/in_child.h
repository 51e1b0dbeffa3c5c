/** Runs a call that waits without a deadline, of the kernel or the C library, in a child process. */
#pragma once

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

} // namespace pm
