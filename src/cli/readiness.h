/** Announcing readiness: a newline on a descriptor, as s6 expects it, or a message as systemd expects it. */
#pragma once

#include "cli/command_line.h"

namespace pm {

/**
 * Checks the descriptor for announce_readiness(). Ends the program with 100 if `fd` is standard error, and with 111 if `fd`
 * cannot be written to. -1: none. Call it before any descriptor is opened, which might get the number.
 */
void check_readiness(int fd) noexcept;
/** Writes a newline to `fd` and closes it. -1: none. */
void announce_readiness(int fd) noexcept;
/**
 * Sends READY=1 to the datagram socket at `path`, as sd_notify(3) does. `path`: the value of NOTIFY_SOCKET, /PATH or @NAME; null:
 * none. Does not wait: if no process listens or its queue is full, the message is lost.
 */
void notify_readiness(char const *path) noexcept;

} // namespace pm
