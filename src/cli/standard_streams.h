/** What the programs that connect do with a connection without PROG: relay it, or pass it on. */
#pragma once

#include "cli/command_line.h"

namespace pm {

/** Sets a bool: pass the connection over standard output. */
template <auto... Path>
consteval auto pass_option() noexcept {
  return flag<Path...>('F', "pass the connection over standard output, a Unix socket, as for ssh's ProxyUseFdpass");
}

/** Before connecting, with -F: ends the program with 100 if there is a PROG, or if standard output is not a Unix socket. */
void check_passing(char const *const *program) noexcept;

/**
 * Passes the connection over standard output, or copies standard input to it and what it sends to standard output. `object` names it in
 * messages. Returns the exit code. Ends by SIGPIPE if the reader of standard output has gone.
 */
[[nodiscard]] int use_standard_streams(Fd connection, bool passes, std::string_view object) noexcept;

} // namespace pm
