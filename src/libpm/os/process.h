/** Facts about a process, from /proc. */
#pragma once

#include <limits.h>
#include <stdint.h>
#include "libpm/os/sys.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm {

/**
 * When the process started, in clock ticks after boot: field 22 of /proc/PID/stat, proc(5). Together with the pid it identifies a
 * process: no later process has both. ESRCH: the process has ended. EPERM: it runs, but /proc does not show it; why_hidden().
 */
[[nodiscard]] Result<uint64_t> start_time(pid_t pid) noexcept;
/** SysError::doing of such an error. */
inline constexpr char reading_start_time[] = "read the start time of";
[[nodiscard]] inline bool is_hidden_process(SysError error) noexcept {
  return error.code == EPERM && error.doing == reading_start_time;
}
/** Why /proc does not show a process: hidepid, or this process has no /proc of its pid namespace. Text for a message. */
[[nodiscard]] std::string_view why_hidden() noexcept;

/**
 * Whether this process's time namespace has a boot time of its own, time_namespaces(7): the start times that it reads are not those that
 * processes of another time namespace read.
 */
[[nodiscard]] bool has_own_boot_time() noexcept;
/** The present as a start time: no process that exists has a later one. */
[[nodiscard]] uint64_t start_time_now() noexcept;

/** The same, from the text of /proc/PID/stat. The name in its second field may contain blanks and parentheses. EBADMSG. */
[[nodiscard]] Result<uint64_t> start_time_in(std::string_view stat) noexcept;

/** The parent of a process. Nothing: /proc does not show the process, or the parent is in another pid namespace. */
[[nodiscard]] std::optional<pid_t> parent_of(pid_t pid) noexcept;

struct Executable {
  Text<PATH_MAX> path;  /**< without the kernel's " (deleted)" */
  bool deleted = false; /**< the file has no name any more */
};
/**
 * The program that a process runs. ESRCH: the process has ended. EACCES: this process may not examine it. EPERM: /proc does not
 * show it. EILSEQ: the path has a control byte, which no record may contain.
 */
[[nodiscard]] Result<Executable> executable(pid_t pid) noexcept;

/**
 * The effective user of a process: the owner of its directory in /proc, which is root if the process may not be examined,
 * proc(5). ESRCH, EPERM: as start_time().
 */
[[nodiscard]] Result<uid_t> effective_user(pid_t pid) noexcept;

/** The users of a process, credentials(7). */
struct ProcessUsers {
  uid_t real, effective, saved;
};
/** From /proc/PID/status. ENOENT: the process has ended, or /proc hides it. EBADMSG. */
[[nodiscard]] Result<ProcessUsers> users_of(pid_t pid) noexcept;

/** A descriptor that becomes readable when the process ends, pidfd_open(2). ENOSYS before Linux 5.3. */
[[nodiscard]] Result<Fd> process_fd(pid_t pid) noexcept;
/** The pid of a pidfd's process; 0: it has no number in this pid namespace. EBADF: not a pidfd. ESRCH: the process has ended. */
[[nodiscard]] Result<pid_t> number_of(int process) noexcept;
/** Whether the process of a pidfd has ended. While it has not, its number belongs to no other process. */
[[nodiscard]] Result<bool> has_ended(int process) noexcept;

} // namespace pm
