/** Hearing that a program is ready: a newline on a descriptor, as s6 has it. */
#ifndef PM_BASE_READY_PIPE_H
#define PM_BASE_READY_PIPE_H

#include <pm/base/fd.h>
#include <pm/base/result.h>

namespace pm {

/**
 * A pipe from a program that this process is about to become. With a descriptor's number, the program has the writing
 * end there and writes a newline when it is ready. Without one, the writing end is closed by exec, which says that.
 */
struct ReadyPipe {
  Fd reading;
  Fd writing; /**< ours while exec has not happened; invalid where the program has it */
  Fd outer;   /**< what had the number before, if anything: whoever waits for the program from further out */

  /** `fd` is a number of the caller's, or -1: make this before anything else is opened, which might get the number. */
  [[nodiscard]] static Result<ReadyPipe> make(int fd) noexcept;
};

} // namespace pm

#endif
