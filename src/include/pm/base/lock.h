/** A lock on a file that waits for a deadline and never polls. */
#ifndef PM_BASE_LOCK_H
#define PM_BASE_LOCK_H

#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/time.h>

namespace pm {

/** flock(2) on a file, exclusive, until destroyed. The kernel frees it when its holder dies, however it dies. */
class Lock {
 public:
  /**
   * Opens `path` under `dir` (made with mode 0600 if missing, never through a symbolic link) and locks it. ETIMEDOUT
   * when the deadline passes first, ECANCELED when `stop` (-1: none) becomes readable first.
   */
  [[nodiscard]] static Result<Lock> take(int dir, char const *path, Deadline deadline, int stop = -1) noexcept;

  /** The same with the directory `path` under `dir` for the file: it is only opened, so whoever may read it may lock it. */
  [[nodiscard]] static Result<Lock> take_directory(int dir, char const *path, Deadline deadline, int stop = -1) noexcept;

  /** The same with an open file. */
  [[nodiscard]] static Result<Lock> take(Fd file, Deadline deadline, int stop = -1) noexcept;

  /** Gives the lock up, and the file back for another time. */
  [[nodiscard]] Fd release() noexcept;

  Lock(Lock &&) noexcept = default;
  Lock &operator=(Lock &&) = delete;
  ~Lock();

 private:
  explicit Lock(Fd file) noexcept : file_(static_cast<Fd &&>(file)) {}
  Fd file_;
};

} // namespace pm

#endif
