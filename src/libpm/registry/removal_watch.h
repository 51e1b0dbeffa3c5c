/** Noticing that a registry was removed, or replaced by another at the same path. */
#pragma once

#include "libpm/registry/tree.h"

namespace pm::registry {

/** Watches the registry's directory by inotify(7). Its processes keep the directory open, and would wait there without end. */
class RemovalWatch {
 public:
  /**
   * Begins to watch. If that is not possible, without /proc or because the user has too many inotify instances, a removal is not
   * noticed.
   */
  explicit RemovalWatch(Tree const &tree) noexcept;

  /** Readable when is_removed() has something to do; -1: it does not watch. */
  [[nodiscard]] int fd() const noexcept { return events_.get(); }
  /** Whether the registry, or one of its directories, was removed or renamed since the construction. Reads the pending events. */
  [[nodiscard]] bool is_removed() noexcept;

 private:
  Fd events_;
};

/** The error of what goes on with a registry that was removed. */
inline constexpr SysError removed_registry = {ENOENT, "go on with a registry that was removed"};

} // namespace pm::registry
