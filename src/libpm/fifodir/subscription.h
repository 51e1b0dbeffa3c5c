/** Subscribing to a fifodir, for a listener. */
#pragma once

#include "libpm/fifodir/listeners.h"
#include "libpm/os/sys.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm::fifodir {

struct Subscription {
  /**
   * The reading end of the FIFO, non-blocking. This process has no writing end, so a hang-up means that a notifier has closed:
   * after its event (read that first), or because it was killed before it (look again). From then on poll(2) reports POLLHUP
   * until the next notifier opens the FIFO: wait edge-triggered, or subscribe anew.
   */
  Fd fifo;
  Text<40> name; /**< of the FIFO in its fifodir */
};

/**
 * Makes the FIFO of a listener of this kind in the fifodir `path` under `dir`, with exactly `mode`. Notifiers reach it from
 * the moment when it has its name.
 */
[[nodiscard]] Result<Subscription> subscribe(int dir, char const *path, mode_t mode, ListenerKind kind) noexcept;

} // namespace pm::fifodir
