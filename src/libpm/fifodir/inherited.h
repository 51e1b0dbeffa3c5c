/** Tokens that a program inherits: PM_TOKEN_FD. */
#pragma once

#include "libpm/os/sys.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm::fifodir {

/**
 * PM_TOKEN_FD: blank-separated N:DEV:INO, the descriptor of a token with its device and inode. These tell whether the number has
 * been used again for something else. A super-server keeps the descriptors from its children and unsets the variable.
 */
inline constexpr char inherited_variable[] = "PM_TOKEN_FD";

/**
 * Keeps `token` open across exec; no Fd owns it afterwards. Returns the variable's new value: `outer` (may be null), then this
 * token.
 */
[[nodiscard]] Result<Text<512>> leave_inherited(Fd token, char const *outer) noexcept;

/**
 * Makes the descriptors that `value` names close-on-exec, if they still have that device and inode. `value` is that of the
 * variable and may be null. Anything else in it is ignored: no descriptor is changed for it.
 */
void keep_from_children(char const *value) noexcept;

} // namespace pm::fifodir
