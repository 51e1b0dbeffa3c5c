/** Messages of programs that take the sockets of LISTEN_FDS. */
#pragma once

#include "libpm/util/result.h"

namespace pm {

/** Ends the program with 111 because ListenFds::own() has failed. If the sockets are for another process, the message says for which. */
[[noreturn]] void die_of_listen_fds(SysError error) noexcept;
/** For a program that can do without: warns if the sockets of LISTEN_FDS are for another process. */
void warn_of_other_listen_fds() noexcept;

} // namespace pm
