/** Starts a program as a child. */
#pragma once

#include <spawn.h>
#include <sys/types.h>
#include <initializer_list>
#include "libpm/util/result.h"

namespace pm {

/** A descriptor that the child gets as `number`. `fd` may be close-on-exec in this process; `number` is not in the child. */
struct GivenFd {
  int fd, number;
};

/**
 * Starts programs with posix_spawn(3), which does not copy the memory of this process. Make a Spawner before this process changes
 * its signals: children get the signal mask, and SIGPIPE's action, of the moment when the Spawner is made.
 */
class Spawner {
 public:
  Spawner() noexcept;
  Spawner(Spawner const &) = delete;
  Spawner &operator=(Spawner const &) = delete;
  ~Spawner();

  /**
   * Starts argv[0], which is looked up in PATH, and returns the pid. `argv` and `envp` are NULL-terminated. The numbers in
   * `given` must not be among its descriptors, unless each descriptor keeps its number. ENOENT, EACCES...: the program cannot be
   * executed.
   */
  [[nodiscard]] Result<pid_t> start(char const *const *argv, char const *const *envp,
                                    std::initializer_list<GivenFd> given) const noexcept;

 private:
  posix_spawnattr_t attributes_;
};

} // namespace pm
