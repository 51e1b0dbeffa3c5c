/** Faults in system calls: what the tests' build of pm::sys asks before each call. */
#ifndef PM_TESTS_FAULT_H
#define PM_TESTS_FAULT_H

namespace pm::fault {

enum class Act { nothing, fail, stop, kill };

/** From now on, the `nth` call (from 1) counted among those of `name` (all: null) fails with `code`, stops or kills the process. */
void plan(char const *name, unsigned nth, Act act, int code = 0) noexcept;
/** How many calls were counted since plan(). */
unsigned count() noexcept;
/** Whether what was planned has happened. */
bool happened() noexcept;

} // namespace pm::fault

/**
 * An errno for the call to fail with, or 0. $PM_FAULT=NAME:NTH:ACT (NAME or *; ACT an errno, stop or kill) plans for a
 * program, which makes the file $PM_FAULT_HAPPENED when that happens.
 */
int fault_before(char const *name) noexcept;

#endif
