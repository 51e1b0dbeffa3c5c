/** Telling whoever started this that it is ready: a newline on a descriptor. */
#ifndef PM_BASE_READINESS_H
#define PM_BASE_READINESS_H

#include <pm/base/options.h>

namespace pm {

/**
 * Ends the program with 100 if `fd`, where it is to say that it is ready, is standard error, and with 111 if it cannot be written to. -1: nowhere.
 * Before any descriptor is opened, which might get the number.
 */
void check_readiness(Options const &options, int fd) noexcept;
/** A newline there, and its end. */
void announce_readiness(int fd) noexcept;
/** READY=1 to the datagram socket at `path`, /PATH or @NAME, as sd_notify(3) does it: NOTIFY_SOCKET's value, or null. Who does not listen is not waited for. */
void notify_readiness(char const *path) noexcept;

} // namespace pm

#endif
