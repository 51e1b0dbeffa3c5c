/** What every program does first: it starts, and reads its command line. */
#ifndef PM_BASE_PROGRAM_H
#define PM_BASE_PROGRAM_H

#include <pm/base/environment.h>
#include <pm/base/options.h>
#include <pm/base/readiness.h>
#include <pm/base/say.h>

namespace pm {

/**
 * Starts a program: sets PROG, holds the numbers of descriptors 0 to 2 that came closed (until exec, and useless as
 * they were, so that no file of ours ever gets the number of standard error), and answers --help and --version.
 *
 * `help`: the usage after the program's name, a newline, then a line an option.
 */
void start(char const *name, int argc, char const *const *argv, char const *help) noexcept;

} // namespace pm

#endif
