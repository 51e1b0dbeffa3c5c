/** What the kernel or the C library waits for without a deadline, done by a child in our place. */
#ifndef PM_BASE_IN_CHILD_H
#define PM_BASE_IN_CHILD_H

#include <pm/base/callback.h>
#include <pm/base/result.h>
#include <pm/base/time.h>
#include <span>

namespace pm {

/**
 * Forks; the child, which does not outlive this process and makes no SIGCHLD, does `work`, which writes its answer to the pipe it
 * is given, at once, and ends. How many bytes of it came; 0: it wrote none. ETIMEDOUT, ECANCELED (`stop` is readable): the child
 * was killed.
 */
[[nodiscard]] Result<size_t> in_child(Callback<void(int pipe)> work, std::span<char> answer, char const *doing, Deadline deadline,
                                      int stop) noexcept;

} // namespace pm

#endif
