/** The reason for the last call of a thread that failed. */
#pragma once

#include <pm.h>
#include <pm/status.h>
#include "libpm/registry/refusal.h"

namespace pm::client {

[[nodiscard]] Error error_of(registry::Failure const &failure) noexcept;

/** Makes it the last error of this thread, and returns the negative result that the failing call returns. */
int fail(Error const &error) noexcept;
int fail(registry::Failure const &failure) noexcept;
/** Makes it the last error again. */
void keep_last_error(struct pm_error const &error) noexcept;
/** For a reason without details: its text is describe(reason), or `text`. */
int fail(Status reason, std::string_view text = {}) noexcept;

} // namespace pm::client
