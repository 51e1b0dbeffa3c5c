/** Opens files on behalf of clients. */
#pragma once

#include "libpm/handover/opener_protocol.h"
#include "libpm/util/result.h"

namespace pm::handover {

/** What a client may open. Each member is a list of fnmatch(3) patterns, separated by blanks. */
struct OpenerRights {
  std::string_view read, write, append;
  std::string_view password; /**< the names that need a password as well */

  [[nodiscard]] bool allow(std::string_view name, OpenMode mode) const noexcept;
};

/** A descriptor, or the reason why the client gets none. */
using OpenAnswer = tl::expected<Fd, OpenRefusal>;

/** Whether a client may name a file so: relative, not empty, without empty parts, `.`, `..` and control bytes. */
[[nodiscard]] bool is_file_name(std::string_view name) noexcept;

/**
 * Opens a regular file beneath `directory` by openat2(2). It follows no symbolic link, does not leave the directory, does not wait and
 * creates nothing. A SysError is an error of this process: EMFILE, ENOSYS (Linux before 5.6), EACCES (its own user may not).
 */
[[nodiscard]] Result<OpenAnswer> open_beneath(int directory, std::string_view name, OpenMode mode) noexcept;

/** A pipe of which the client gets the writing end: a file's own descriptor would not stay append-only, F_SETFL of fcntl(2). */
struct AppendPipe {
  Fd reading, writing;
  [[nodiscard]] static Result<AppendPipe> make() noexcept;
};
/** Appends to the file what comes from the pipe, until all its writers have closed it. */
[[nodiscard]] Done append_all(int pipe, int file) noexcept;

} // namespace pm::handover
