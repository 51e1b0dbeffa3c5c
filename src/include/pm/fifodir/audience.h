/** Whether anybody listens, known without looking each time. */
#ifndef PM_FIFODIR_AUDIENCE_H
#define PM_FIFODIR_AUDIENCE_H

#include <pm/base/fd.h>
#include <string_view>

namespace pm::fifodir {

/**
 * Who listens in a fifodir, to somebody who notifies it again and again: the kernel tells of changes to the directory,
 * inotify(7), so it is read only after one. Where there is no inotify, nothing is known.
 */
class Audience {
 public:
  /** Starts to watch the fifodir `path` under `dir`; both, and `own`, the name of a listener that does not count, must outlive this. */
  void watch(int dir, char const *path, std::string_view own) noexcept;

  /** Besides, whether a directory has names that matter; a change to others costs next to nothing. */
  void watch_names(char const *path, bool (*matters)(std::string_view name)) noexcept;

  /**
   * Whether nobody else listens, and only the fifodir's owner can make it otherwise: then it is so until he does. One call of
   * the kernel's, where nothing has changed.
   */
  [[nodiscard]] bool is_alone() noexcept;
  /** Whether watch_names()'s has none that matters, as of the last is_alone(). */
  [[nodiscard]] bool has_no_names() const noexcept { return looked_for_names_ && nameless_; }

 private:
  [[nodiscard]] int add(char const *path) noexcept;
  [[nodiscard]] bool hear() noexcept;
  [[nodiscard]] bool look() const noexcept;
  [[nodiscard]] bool look_for_names() const noexcept;

  Fd changes_;
  int dir_ = -1;
  char const *path_ = nullptr;
  std::string_view own_;
  bool looked_ = false, alone_ = false;
  char const *names_path_ = nullptr;
  int names_watch_ = -1;
  bool (*matters_)(std::string_view name) = nullptr;
  bool looked_for_names_ = false, nameless_ = false;
};

} // namespace pm::fifodir

#endif
