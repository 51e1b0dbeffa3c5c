/** Making files with exact modes in a process whose other threads make files as well. */
#pragma once

#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * Calls `work`, in which no directory's mode of 0755 loses a bit to the umask. The umask of the process stays as it is: if it has one of
 * these bits, a thread with an umask of its own, unshare(2), does the work, while the calling thread waits. EAGAIN: there are too many
 * threads; EPERM: a filter of system calls forbids unshare(2). Then `work` was not called.
 */
[[nodiscard]] Done with_own_umask(Callback<void()> work) noexcept;

} // namespace pm
