/** Reading the events of a registry from a listener's FIFO. */
#pragma once

#include "libpm/registry/event_line.h"
#include "libpm/registry/tree.h"

namespace pm::registry {

/**
 * Reads the lines of a subscription, and notices when there may have been a change without one: a writer was killed between the
 * change and its line, or the FIFO had no room for it. Before each change a writer sets the modification time of the registry's
 * lock to the time in the line and 1 ns, and after it has sent the line, to the time. So a hang-up without a line, when that
 * time is not the last line's, means such a change. A writer that finds an odd time says in its line that the writer before it
 * was killed.
 */
class EventReader {
 public:
  /** `fifo`: the reading end of a FIFO of one page. Borrows both. */
  EventReader(Tree const &tree, int fifo) noexcept : tree_(&tree), fifo_(fifo) {}

  using Visit = Callback<Done(EventLine const &)>;
  /**
   * Visits the lines that have arrived, and does not wait. Returns false if changes may be missing: then read the tree.
   * `hung_up`: the kernel has reported a hang-up. If it does so later, call this again.
   */
  [[nodiscard]] Result<bool> read(bool hung_up, Visit visit) noexcept;

 private:
  [[nodiscard]] uint64_t time_of_last_change() const noexcept;

  Tree const *tree_;
  int fifo_;
  uint64_t last_ = 0; /**< of the last line */
};

} // namespace pm::registry
