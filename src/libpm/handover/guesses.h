/** Wrong passwords, counted for each user in a directory, because a process of the opener serves one connection. */
#pragma once

#include <sys/types.h>
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/util/result.h"

namespace pm::handover {

/** This many wrong passwords cost nothing. Each further one doubles the time until the next, from a second on. */
inline constexpr uint32_t free_guesses = 10;
/** The time after which a user's wrong passwords are forgotten, in seconds. */
inline constexpr uint32_t guesses_forgotten = 3600;

/**
 * Counts a password of a user as wrong, before it is checked: so passwords that are tried at the same time count, too. Returns 0, or the
 * seconds for which the user may try none. The file in `directory` has the uid as its name. Errors as Lock::take(), and of the file.
 */
[[nodiscard]] Result<uint32_t> count_guess(int directory, uid_t user, Limit limit) noexcept;

/** Takes a counted password back, which was right. */
[[nodiscard]] Done take_guess_back(int directory, uid_t user, Limit limit) noexcept;

} // namespace pm::handover
