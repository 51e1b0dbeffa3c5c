/** Starts PROG within the limits of -R and -F. */
#pragma once

#include <optional>
#include "libpm/os/children.h"
#include "libpm/super/rate.h"
#include "libpm/super/super_log.h"

namespace pm::super {

class ProgramStarter {
 public:
  /** Borrows all arguments. `program`: an argv. */
  ProgramStarter(char const *const *program, SuperOptions const &options, Children &children, SuperLog &log) noexcept
      : program_(program),
        children_(children),
        log_(log),
        starts_(options.starts, options.starts_ms),
        failures_(options.failures, options.failures_ms),
        failed_codes_(options.failed) {}

  /** Limits starts to `number` in `ms` milliseconds, unless -R has set a limit. */
  void limit_starts(uint32_t number, uint32_t ms) noexcept {
    if (!starts_.is_limited()) starts_ = Rate(number, ms);
  }
  /**
   * Whether another start is within the limit. Logs the first no, and another one only after a whole period of the limit in which no
   * start had to wait.
   */
  [[nodiscard]] bool may_start() noexcept;
  /** The time until another start is within the limit, ms, as poll(2) takes it; -1: the last may_start() returned true. */
  [[nodiscard]] int wait() const noexcept { return limited_ ? starts_.wait() : -1; }

  /** Starts PROG. Returns nothing if it fails; it has logged and counted the failure. */
  [[nodiscard]] std::optional<pid_t> start(char const *const *environment, std::initializer_list<GivenFd> given) noexcept;
  /**
   * Counts a failure if the program of a connection or datagram has failed, by is_failure() of its signal or by the exit codes of -F.
   * `unread`: it has left its datagram unread, which is a failure if no SIGTERM of this process can have ended it.
   */
  void program_ended(int status, bool unread) noexcept;
  /** Counts a failure if the worker has failed: it ended by a signal other than SIGTERM, or its exit code is not 0. */
  void worker_ended(int status) noexcept;
  /** Whether the failures have reached the limit of -F. */
  [[nodiscard]] bool gave_up() const noexcept { return gave_up_; }

 private:
  void count_failure() noexcept;

  char const *const *program_;
  Children &children_;
  SuperLog &log_;
  Rate starts_, failures_;
  ExitCodes failed_codes_;
  bool limited_ = false, gave_up_ = false;
  Deadline silent_; /**< until then a pause is not logged */
};

} // namespace pm::super
