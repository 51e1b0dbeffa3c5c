/** The process that registers, as the kernel identifies it. */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include "libpm/util/result.h"

namespace pm::registry {

struct Registrant {
  uid_t uid;
  pid_t pid;          /**< 0: it has no number in this process's pid namespace */
  uint64_t start = 0; /**< its start time, pm::start_time; 0: it ended before its start time was read */
  bool named = true;  /**< false: the kernel cannot name the user; `uid` has no meaning, and the owner is `-` */
};

/** This process: effective uid, pid and start time. */
[[nodiscard]] Result<Registrant> this_process() noexcept;

} // namespace pm::registry
