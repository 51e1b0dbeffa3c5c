/** Opens files on behalf of clients. */
#pragma once

#include "libpm/handover/opener_protocol.h"

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

} // namespace pm::handover
