/** Signals as a descriptor for poll(2): signalfd(2). */
#pragma once

#include <sys/types.h>
#include <initializer_list>
#include "libpm/os/sys.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * Blocks signals and returns them one by one. They stay blocked when this object is destroyed. A Spawner that was made before
 * gives its children the earlier mask.
 */
class Signals {
 public:
  Signals() noexcept = default;
  [[nodiscard]] static Result<Signals> trap(std::initializer_list<int> signals) noexcept;

  /** Readable when a signal is pending. */
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /**
   * The next pending signal, or 0. `sender`: for SIGCHLD the pid of the child, 0 where the kernel does not know it.
   * One SIGCHLD may stand for several children that ended.
   */
  [[nodiscard]] int next(pid_t *sender = nullptr) const noexcept;

 private:
  explicit Signals(Fd fd) noexcept : fd_(static_cast<Fd &&>(fd)) {}
  Fd fd_;
};

} // namespace pm
