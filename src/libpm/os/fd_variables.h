/** The variables PM_FD_NAME, which tell a program the numbers of its descriptors. */
#pragma once

#include "libpm/os/environment.h"
#include "libpm/util/text.h"

namespace pm {

/** PM_FD_NAME for this name. An underscore replaces each byte that a variable's name may not have. */
[[nodiscard]] Text<272> fd_variable(std::string_view name) noexcept;

/**
 * Whether NAME=VALUE is such a variable of an earlier stage that will be wrong in the program that this process executes: its descriptor is
 * one of `count` from `first` on, which are replaced, or is closed, or close-on-exec.
 */
[[nodiscard]] bool is_wrong_fd_variable(std::string_view variable, int first, int count) noexcept;

/** Unsets these. Call it when the descriptors have been placed, and before setting their variables. */
void forget_wrong_fds(Environment &environment, int first, int count) noexcept;

} // namespace pm
