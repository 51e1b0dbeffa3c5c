/** Reading a directory through its descriptor. */
#ifndef PM_BASE_DIRECTORY_H
#define PM_BASE_DIRECTORY_H

#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <string_view>

namespace pm {

/** Opens a directory to read it: never through a symbolic link at its end. ENOENT, ENOTDIR, ELOOP as open(2). */
[[nodiscard]] Result<Fd> open_directory(int dir, char const *path) noexcept;

/**
 * The entries of a directory, `.` and `..` left out, from where the descriptor's position is (the start, when it was
 * just opened). A buffer of 4 KB on the stack, no allocation.
 */
class Entries {
 public:
  explicit Entries(int fd) noexcept : fd_(fd) {}

  /** The next name (NUL-terminated in place), valid until the one after it is asked for; nullptr at the end. */
  [[nodiscard]] Result<char const *> next() noexcept;
  /** Whether next() can be answered from what was already read, without a system call. */
  [[nodiscard]] bool buffered() const noexcept { return at_ < end_; }
  /** Of the entry that next() gave last: DT_FIFO and so on, DT_UNKNOWN where the file system does not say. */
  [[nodiscard]] unsigned char type() const noexcept { return type_; }

 private:
  int fd_;
  unsigned char type_ = 0;
  size_t at_ = 0, end_ = 0;
  alignas(8) char buffer_[4096];
};

} // namespace pm

#endif
