/** Starts a program as a child. */
#pragma once

#include <spawn.h>
#include "libpm/os/start_slot.h"
#include "libpm/util/box.h"

namespace pm {

/**
 * Starts programs. Make a Spawner before this process changes its signals: children get the signal mask, and SIGPIPE's action, of the
 * moment when the Spawner is made. The process's signal handlers must do nothing, see StartSlot.
 */
class Spawner {
 public:
  Spawner() noexcept;
  Spawner(Spawner const &) = delete;
  Spawner &operator=(Spawner const &) = delete;
  /** Waits until each child has executed its program: until then it has all descriptors of this process, listening sockets too. */
  ~Spawner();

  /**
   * Starts argv[0], which is looked up in PATH, and returns the pid. `argv` and `envp` are NULL-terminated. The numbers in
   * `given` must not be among its descriptors, unless each descriptor keeps its number. ENOENT, EACCES...: the program cannot be
   * executed. If the same argv was started before, this does not wait for the child: if the program cannot be executed any more, the
   * child ends with 127, and the next start() returns the error.
   */
  [[nodiscard]] Result<pid_t> start(char const *const *argv, char const *const *envp,
                                    std::initializer_list<GivenFd> given) noexcept;

 private:
  /** More children than processors that can execute at once do not help. */
  static constexpr size_t slots_max = 8;
  [[nodiscard]] StartSlot *free_slot() noexcept;
  [[nodiscard]] Result<pid_t> start_and_wait(char const *const *argv, char const *const *envp,
                                             std::initializer_list<GivenFd> given) const noexcept;

  ChildSignals signals_;
  char const *const *proven_ = nullptr; /**< the last start of this argv succeeded */
  Box<StartSlot> slots_[slots_max];
};

} // namespace pm
