/** The process that registers, as the kernel identifies it. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include "libpm/registry/refusal.h"

namespace pm::registry {

struct Registrant {
  uid_t uid;
  pid_t pid;           /**< 0: it has no number in this process's pid namespace */
  uint64_t start = 0;  /**< its start time, pm::start_time; 0: unknown */
  bool ended = false;  /**< it had ended before its start time was read */
  bool hidden = false; /**< it runs, and /proc does not show it: it may give its start time itself */
  bool named = true;   /**< false: the kernel cannot name the user; `uid` has no meaning, and the owner is `-` */
};

/** This process: effective uid, pid and start time, which is unknown without /proc. EMFILE, ENOMEM... */
[[nodiscard]] Result<Registrant> this_process() noexcept;

/**
 * The process of a pidfd, as a registrant of user `uid`. All three users of the process must be `uid`, as for ptrace(2), unless `uid`
 * is root. no_process: it has ended, or the descriptor is not a pidfd; foreign_process; unknown_process: it has no number in this
 * pid namespace, or /proc hides it.
 */
[[nodiscard]] Answer<Registrant> process_for(int process, uid_t uid) noexcept;

} // namespace pm::registry
