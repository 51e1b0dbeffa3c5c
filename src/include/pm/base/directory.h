/** Reading a directory through its descriptor. */
#ifndef PM_BASE_DIRECTORY_H
#define PM_BASE_DIRECTORY_H

#include <pm/base/callback.h>
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
  /** `whole`: reads_whole() said so of the file system. Then the end is known without asking for it. */
  explicit Entries(int fd, bool whole = false) noexcept : fd_(fd), whole_(whole) {}

  /** The next name (NUL-terminated in place), valid until the one after it is asked for; nullptr at the end. */
  [[nodiscard]] Result<char const *> next() noexcept;
  /** Whether next() can be answered from what was already read, without a system call. */
  [[nodiscard]] bool buffered() const noexcept { return at_ < end_; }
  /** Of the entry that next() gave last: DT_FIFO and so on, DT_UNKNOWN where the file system does not say. */
  [[nodiscard]] unsigned char type() const noexcept { return type_; }

 private:
  int fd_;
  bool whole_, ended_ = false;
  unsigned char type_ = 0;
  size_t at_ = 0, end_ = 0;
  alignas(8) char buffer_[4096];
};

/** Sees a name, the type as Entries::type(), and the directory's own descriptor. */
using VisitEntry = Callback<Done(int directory, char const *name, unsigned char type)>;

/** Visits each name in the directory `path` under `dir`; none if there is no such directory. A visit that fails ends it with
 * that failure. `whole` as Entries has it. */
[[nodiscard]] Done each_entry(int dir, char const *path, VisitEntry visit, bool whole = false) noexcept;

/** Whether a directory there is read until the buffer is full, or all is read, as a tmpfs does: others may stop anywhere. */
[[nodiscard]] bool reads_whole(int dir) noexcept;

} // namespace pm

#endif
