/** Signals as something to poll for: signalfd(2). */
#ifndef PM_BASE_SIGNALS_H
#define PM_BASE_SIGNALS_H

#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <sys/types.h>
#include <initializer_list>

namespace pm {

/** Signals that do nothing by themselves any more. They stay blocked when it ends; a Spawner made before gives children the mask of before. */
class Signals {
 public:
  Signals() noexcept = default;
  [[nodiscard]] static Result<Signals> trap(std::initializer_list<int> signals) noexcept;

  /** Readable when one has come. */
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /** The next that has come, 0 when there is none. `sender`: of SIGCHLD the child, though others may have ended that none comes for; 0 where the kernel cannot say. */
  [[nodiscard]] int next(pid_t *sender = nullptr) const noexcept;

 private:
  explicit Signals(Fd fd) noexcept : fd_(static_cast<Fd &&>(fd)) {}
  Fd fd_;
};

/** SIGTERM, SIGINT and SIGHUP, to end at in good order; SIGPIPE is ignored. Ends the program if they cannot be had. */
[[nodiscard]] Signals trap_ends() noexcept;

} // namespace pm

#endif
