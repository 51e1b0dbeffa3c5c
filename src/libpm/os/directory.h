/** Reads a directory through its descriptor. */
#pragma once

#include <limits.h>
#include <string_view>
#include "libpm/os/sys.h"
#include "libpm/util/callback.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm {

/** Opens a directory for reading. A symbolic link as the last component is an error. ENOENT, ENOTDIR, ELOOP as open(2). */
[[nodiscard]] Result<Fd> open_directory(int dir, char const *path) noexcept;

/**
 * The entries of a directory without `.` and `..`, from the descriptor's position on (the start, if it was just opened). The
 * buffer is 4 KB on the stack; nothing is allocated. Borrows the descriptor.
 */
class Entries {
 public:
  static constexpr size_t buffer_size = 4096;

  /**
   * `whole`: reads_whole() is true for the file system. Then the end is found without another system call. `at_once`: how much of the
   * buffer is used for one system call, at least 280 bytes.
   */
  explicit Entries(int fd, bool whole = false, size_t at_once = buffer_size) noexcept
      : fd_(fd), whole_(whole), at_once_(at_once) {}

  /** The next name (NUL-terminated in place), valid until the next call; nullptr at the end. */
  [[nodiscard]] Result<char const *> next() noexcept;
  /** Whether next() can answer from the buffer, without a system call. */
  [[nodiscard]] bool buffered() const noexcept { return at_ < end_; }
  /**
   * The type of the entry that next() returned last: DT_FIFO and so on; DT_UNKNOWN where the file system does not report types.
   */
  [[nodiscard]] unsigned char type() const noexcept { return type_; }

 private:
  int fd_;
  bool whole_, ended_ = false;
  unsigned char type_ = 0;
  size_t at_once_, at_ = 0, end_ = 0;
  alignas(8) char buffer_[buffer_size];
};

/** The same path from the root directory on, for a process with another working directory. ENAMETOOLONG. */
[[nodiscard]] Result<Text<PATH_MAX>> absolute_path(std::string_view path) noexcept;

/** Called with the descriptor of the directory, a name in it, and its type as Entries::type() has it. */
using VisitEntry = Callback<Done(int directory, char const *name, unsigned char type)>;

/**
 * Visits each name in the directory `path` under `dir`. A missing directory has no names. If a visit fails, each_entry() stops
 * and returns that failure. `whole` is the same as for Entries.
 */
[[nodiscard]] Done each_entry(int dir, char const *path, VisitEntry visit, bool whole = false) noexcept;

/**
 * Whether the file system of `dir` fills the buffer until it is full or all entries are read. A tmpfs does; others may stop
 * earlier.
 */
[[nodiscard]] bool reads_whole(int dir) noexcept;

} // namespace pm
