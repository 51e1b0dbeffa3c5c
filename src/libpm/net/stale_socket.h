/** Paths of Unix sockets that servers have left which were killed. */
#pragma once

#include <sys/types.h>
#include "libpm/util/result.h"

namespace pm {

/**
 * Sets a dead socket aside and unlinks it there, so that only the checked socket can be removed. Also succeeds if the path was
 * replaced meanwhile: the next bind(2) finds that out. EADDRINUSE, with this `doing`: a server uses it. EEXIST: the file is not a socket.
 */
[[nodiscard]] Done remove_dead_socket(char const *path, char const *doing) noexcept;

/**
 * Removes the dead sockets of `owner` that killed servers have set aside. Ignores errors: nothing needs their names. A server that
 * replaces a path meanwhile has the directory's lock.
 */
void remove_leftover_sockets(char const *directory, uid_t owner) noexcept;

} // namespace pm
