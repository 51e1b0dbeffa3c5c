/** Facts about a process, from /proc. */
#ifndef PM_BASE_PROCESS_H
#define PM_BASE_PROCESS_H

#include <limits.h>
#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/text.h>
#include <stdint.h>

namespace pm {

/** When the process started, in clock ticks after boot: field 22 of /proc/PID/stat, proc(5). With the pid it names one process for ever. */
[[nodiscard]] Result<uint64_t> start_time(pid_t pid) noexcept;

/** The same, from the text of /proc/PID/stat: the name in its second field may hold blanks and parentheses. EBADMSG. */
[[nodiscard]] Result<uint64_t> start_time_in(std::string_view stat) noexcept;

struct Executable {
  Text<PATH_MAX> path;  /**< without the kernel's " (deleted)" */
  bool deleted = false; /**< no name leads to the file any more */
};
/** The program a process runs. ENOENT: it is gone. EACCES: it is not ours to look at. EILSEQ: its path has a control byte, which no record may hold. */
[[nodiscard]] Result<Executable> executable(pid_t pid) noexcept;

/** The effective user of a process, by its directory in /proc; root where the process may not be looked at, proc(5). ENOENT: it is gone. */
[[nodiscard]] Result<uid_t> effective_user(pid_t pid) noexcept;

/** A descriptor that becomes readable when the process ends, pidfd_open(2). ENOSYS before Linux 5.3. */
[[nodiscard]] Result<Fd> process_fd(pid_t pid) noexcept;

} // namespace pm

#endif
