/** What the command lines of a descriptor store's clients say. */
#ifndef PM_FDSTORE_ARGUMENTS_H
#define PM_FDSTORE_ARGUMENTS_H

#include <pm/base/program.h>
#include <pm/fdstore/client.h>

namespace pm::fdstore {

/** Takes -s ADDRESS and -t MS. Other letters are left alone. */
void read_client_option(Options const &options, int letter, Client &client) noexcept;
/** The argument as a name, or the end with 100. */
[[nodiscard]] Name name_argument(Options const &options, std::string_view text) noexcept;
/** The end with 1: unable to DO NAME: why. */
[[noreturn]] void die_refused(char const *what, std::string_view name, Refusal why) noexcept;

} // namespace pm::fdstore

#endif
