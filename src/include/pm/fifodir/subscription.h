/** A place among a fifodir's listeners, from the listener's side. */
#ifndef PM_FIFODIR_SUBSCRIPTION_H
#define PM_FIFODIR_SUBSCRIPTION_H

#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/text.h>

namespace pm::fifodir {

struct Subscription {
  /**
   * The FIFO's reading end, non-blocking. It keeps no writing end: a hang-up means that a notifier came and closed,
   * with its event (to be read first) or killed before it (look again). After one, poll says POLLHUP until the next
   * notifier opens: wait edge-triggered, or subscribe anew.
   */
  Fd fifo;
  Text<40> name; /**< of the FIFO in its fifodir */
};

/** Makes a listener's FIFO in the fifodir `path` under `dir`, with exactly `mode` (the umask must be 0). It counts from its first moment under its name. */
[[nodiscard]] Result<Subscription> subscribe(int dir, char const *path, mode_t mode) noexcept;

} // namespace pm::fifodir

#endif
