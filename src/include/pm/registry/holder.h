/** The process that holds a token for a program that knows nothing of it. */
#ifndef PM_REGISTRY_HOLDER_H
#define PM_REGISTRY_HOLDER_H

#include <pm/base/callback.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>

namespace pm::registry {

/** What a holder does; each descriptor may be invalid: then there is no such thing. */
struct HolderTask {
  Fd token;             /**< what it holds; invalid: the program itself does, and the holder ends once it has published */
  Fd ready;             /**< the reading end of a pipe that says when to publish */
  bool newline = false; /**< on a newline in `ready` (readiness, s6's way); else when it ends without a byte (exec happened) */
  int keep = -1;        /**< a descriptor that `publish` uses, closed after it */
  Fd forward;           /**< where a newline goes once published: whoever waits for the program's readiness */
};

/**
 * Starts a holder for this process: a double-forked child in a session of its own, with the working directory at the
 * root and every descriptor closed but the task's and a pidfd of this process, none renumbered; until it has published,
 * standard error too. It ends when this process has ended, whatever it has become by exec, or when a byte in the token
 * and the token's link count of 0 say that the registration was removed.
 *
 * `publish` runs in the holder, once, when `ready` says so, with the pidfd: readable means give up. Whether the newline
 * may go on. What was removed before is not published, but the program is ready all the same.
 *
 * ENOSYS: no pidfd_open (Linux 5.3). No SIGCHLD, no zombie is left to the caller.
 */
[[nodiscard]] Done start_holder(HolderTask task, Callback<bool(int)> publish) noexcept;

/** Whether the registration of a token that became readable was removed. Reads what was written into it, once: whoever
 * goes on writing gets no more of our time than of his own. */
[[nodiscard]] bool was_released(int token) noexcept;

} // namespace pm::registry

#endif
