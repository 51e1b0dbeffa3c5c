/** The process that holds a token for a program that knows nothing of it. */
#ifndef PM_REGISTRY_HOLDER_H
#define PM_REGISTRY_HOLDER_H

#include <pm/base/callback.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>

namespace pm::registry {

/** What a holder has besides the token; each descriptor may be invalid: then there is no such thing. */
struct HolderTask {
  Fd token;             /**< what it holds; invalid: the program itself does, and the holder ends once it has published */
  Fd ready;             /**< the reading end of a pipe that says when to publish */
  bool newline = false; /**< on a newline in `ready` (readiness, s6's way); else when it ends without a byte (exec happened) */
  int keep = -1;        /**< a descriptor that `publish` uses, closed after it */
  Fd forward;           /**< where a newline goes once published: whoever waits for the program's readiness */
};

/**
 * Starts a holder for this process: a double-forked child in a session of its own, with the working directory at the
 * root and every descriptor closed but the task's and a pidfd of this process (none renumbered). It ends when this process has ended,
 * whatever it has become by exec, or when a byte in the token and the token's link count of 0 say that the
 * registration was removed. `publish` runs in the holder, once, when `ready` says so.
 *
 * ENOSYS: no pidfd_open (Linux 5.3). No SIGCHLD, no zombie is left to the caller.
 */
[[nodiscard]] Done start_holder(HolderTask task, Callback<void()> publish) noexcept;

/** Whether the registration of a token that became readable was removed. Reads what was written into it. */
[[nodiscard]] bool was_released(int token) noexcept;

} // namespace pm::registry

#endif
