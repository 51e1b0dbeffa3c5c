/** Programs by name: rpc(5). */
#ifndef PM_RPC_NAMES_H
#define PM_RPC_NAMES_H

#include <pm/base/options.h>

namespace pm::onc {

/** The number of the program that `text`, lines as in rpc(5), has under a name or an alias, as it is written there; empty: none. */
[[nodiscard]] std::string_view program_named(std::string_view text, std::string_view name) noexcept;

/**
 * A program of the command line: a number, or a name or alias that /etc/rpc has, which is read into `file` when the first name
 * comes. Its number in digits, which views `name` or `file`. Or the program's end: with 100 if there is none of that name, with
 * 111 if the file cannot be read.
 */
[[nodiscard]] std::string_view program_argument(Options const &options, std::string_view name, List<char> &file) noexcept;

} // namespace pm::onc

#endif
