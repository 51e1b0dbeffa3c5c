/** Tokens that a program inherits: PM_TOKEN_FD. */
#ifndef PM_FIFODIR_INHERITED_H
#define PM_FIFODIR_INHERITED_H

#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/text.h>

namespace pm::fifodir {

/**
 * PM_TOKEN_FD: blank-separated N:DEV:INO, a descriptor that is a token and, so that a number reused for something else
 * is not taken for it, its device and inode. A super-server keeps these from its children and unsets the variable.
 */
inline constexpr char inherited_variable[] = "PM_TOKEN_FD";

/** Lets `token` through exec; its descriptor is nobody's any more. The variable's new value, after `outer` (may be null). */
[[nodiscard]] Result<Text<512>> leave_inherited(Fd token, char const *outer) noexcept;

/**
 * Makes the descriptors that `value` (of the variable; may be null) names close-on-exec, where they still are what it says.
 * Whatever else is in it is passed over: nobody's descriptor is at stake.
 */
void keep_from_children(char const *value) noexcept;

} // namespace pm::fifodir

#endif
