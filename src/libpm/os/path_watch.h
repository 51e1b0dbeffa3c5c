/** Waiting for a file that does not exist yet, by inotify(7). */
#pragma once

#include <limits.h>
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm {

/**
 * Notices changes at a path whose file, or some of whose directories, may be missing. It watches the deepest directory that exists,
 * and goes down as others are made. Changes of other names do not end a wait. A symbolic link in the path that leads nowhere is not
 * followed later.
 */
class PathWatch {
 public:
  /** `path`: below the directory `dir`, or below the working directory (AT_FDCWD). Borrows `dir`. Opens nothing. */
  PathWatch(int dir, char const *path) noexcept;

  /**
   * Begins to watch. Later changes end a wait, even those that come before wait(). EMFILE, ENOSPC: a limit of inotify(7) has been
   * reached; EACCES: this process may not read a directory.
   */
  [[nodiscard]] Done open() noexcept;
  [[nodiscard]] bool is_open() const noexcept { return events_.valid(); }

  /**
   * Waits until the file, or a missing directory of its path, is created, gets its name by a rename or has its mode, owner or times
   * changed, until the watched directory is removed or renamed, or until a file system is mounted. If the directory cannot be
   * watched any longer, returns as after a change, and is_open() is false. ETIMEDOUT, ECANCELED. Call it only while is_open().
   */
  [[nodiscard]] Done wait(Limit limit) noexcept;

 private:
  [[nodiscard]] Done descend() noexcept;
  [[nodiscard]] bool take_changes() noexcept;
  [[nodiscard]] int watch(size_t end) const noexcept;
  [[nodiscard]] bool is_directory(size_t end) const noexcept;

  Text<PATH_MAX + 32> path_;
  bool moves_; /**< a mount can change what the path leads to */
  Fd events_, mounts_;
  int watch_ = -1;        /**< its number; -1: none */
  std::string_view name_; /**< the component of the path that is expected in the watched directory */
};

} // namespace pm
