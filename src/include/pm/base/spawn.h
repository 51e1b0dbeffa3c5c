/** Starting a program as a child. */
#ifndef PM_BASE_SPAWN_H
#define PM_BASE_SPAWN_H

#include <pm/base/result.h>
#include <spawn.h>
#include <sys/types.h>
#include <initializer_list>

namespace pm {

/** A descriptor that the child gets under a number of its choice; ours may be close-on-exec, the child's is not. */
struct GivenFd {
  int fd, number;
};

/**
 * Starts programs with posix_spawn(3), which costs no copy of our memory. Make it before this process takes signals for
 * itself: a child gets the signal mask, and the SIGPIPE, that are there when the Spawner is made.
 */
class Spawner {
 public:
  Spawner() noexcept;
  Spawner(Spawner const &) = delete;
  Spawner &operator=(Spawner const &) = delete;
  ~Spawner();

  /**
   * The child's pid. `argv` is looked for in PATH and NULL-terminated, as is `envp`. The numbers in `given` must not be
   * among the descriptors in it, unless each keeps its own. ENOENT, EACCES...: it cannot be executed.
   */
  [[nodiscard]] Result<pid_t> start(char const *const *argv, char const *const *envp,
                                    std::initializer_list<GivenFd> given) const noexcept;

 private:
  posix_spawnattr_t attributes_;
};

} // namespace pm

#endif
