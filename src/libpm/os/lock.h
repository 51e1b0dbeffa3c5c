/** A lock on a file. Taking it has a time limit, and waiting does not poll. */
#pragma once

#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/util/result.h"

namespace pm {

/** An exclusive flock(2) on a file, until destroyed. The kernel releases it when the process ends, in any way. */
class Lock {
 public:
  /**
   * Opens `path` under `dir` and locks it. A missing file is made with mode 0600; a symbolic link as the last component is an
   * error. ETIMEDOUT when the deadline passes first, ECANCELED when `stop` (-1: none) becomes readable first.
   */
  [[nodiscard]] static Result<Lock> take(int dir, char const *path, Limit limit) noexcept;

  /** The same for the directory `path` under `dir`. It is opened for reading only, so every user who may read it may lock it. */
  [[nodiscard]] static Result<Lock> take_directory(int dir, char const *path, Limit limit) noexcept;

  /** The same for an open file. */
  [[nodiscard]] static Result<Lock> take(Fd file, Limit limit) noexcept;

  [[nodiscard]] int fd() const noexcept { return file_.get(); }
  /** Releases the lock and returns the file, which can be locked again. */
  [[nodiscard]] Fd release() noexcept;

  Lock(Lock &&) noexcept = default;
  Lock &operator=(Lock &&) = delete;
  ~Lock();

 private:
  explicit Lock(Fd file) noexcept : file_(static_cast<Fd &&>(file)) {}
  Fd file_;
};

} // namespace pm
