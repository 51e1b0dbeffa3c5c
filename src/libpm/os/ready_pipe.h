/** A pipe that reports the readiness of a program: a newline on a descriptor, as in s6. */
#pragma once

#include "libpm/os/sys.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * The pipe comes from the program that this process is about to execute. With a descriptor number, the program has the writing
 * end under that number and writes a newline when it is ready. Without one, exec closes the writing end, and that is the report.
 */
struct ReadyPipe {
  Fd reading;
  Fd writing; /**< this process's, until exec; invalid where the program has it */
  Fd outer;   /**< a copy of the descriptor that had the number before, if any: an outer program waits there */

  /** `fd`: the number, or -1. Call this before any other descriptor is opened, which might get the number. */
  [[nodiscard]] static Result<ReadyPipe> make(int fd) noexcept;
};

} // namespace pm
