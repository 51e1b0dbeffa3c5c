/** Whether a fifodir has other listeners, without reading the directory each time. */
#pragma once

#include <string_view>
#include "libpm/os/sys.h"

namespace pm::fifodir {

/**
 * For a process that notifies a fifodir repeatedly. The kernel reports changes to the directory, inotify(7), so the directory is
 * read only after a change. Without inotify, is_alone() is false.
 */
class OtherListeners {
 public:
  /**
   * Starts to watch the fifodir `path` under `dir`. `own` is the name of a listener that does not count. Borrows `dir`, `path`
   * and `own`.
   */
  void watch(int dir, char const *path, std::string_view own) noexcept;

  /**
   * Whether there are no other listeners, and only the fifodir's owner can add one: then this stays true until the owner does.
   * If nothing has changed, this costs one system call.
   */
  [[nodiscard]] bool is_alone() noexcept;

 private:
  [[nodiscard]] int add(char const *path) noexcept;
  [[nodiscard]] bool read_changes() noexcept;
  [[nodiscard]] bool look() const noexcept;

  Fd changes_;
  int dir_ = -1;
  char const *path_ = nullptr;
  std::string_view own_;
  bool looked_ = false, alone_ = false;
};

} // namespace pm::fifodir
