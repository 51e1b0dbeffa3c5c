/** Opening a file for somebody else. */
#ifndef PM_OPENER_OPENER_H
#define PM_OPENER_OPENER_H

#include <pm/opener/protocol.h>

namespace pm::opener {

/** Blank-separated patterns, fnmatch(3), of the names that may be opened so; and of those that need a password besides. */
struct Rights {
  std::string_view read, write, append, password;

  [[nodiscard]] bool allow(std::string_view name, Mode mode) const noexcept;
};

/** Either a descriptor, or why not. */
using Answer = tl::expected<Fd, Refusal>;

/** A path that can be: not empty, not absolute, without empty parts, `.`, `..`, control bytes. */
[[nodiscard]] bool is_name(std::string_view name) noexcept;

/**
 * Opens a regular file beneath `directory`, openat2(2): by no symbolic link, at no other place, not waiting for anything, creating nothing.
 * A SysError is of this process: EMFILE, ENOSYS (Linux before 5.6), EACCES (its own user may not).
 */
[[nodiscard]] Result<Answer> open_beneath(int directory, std::string_view name, Mode mode) noexcept;

} // namespace pm::opener

#endif
