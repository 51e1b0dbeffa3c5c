/** Sets the Error that a call of the public interface returns. */
#pragma once

#include <pm/registry.h>
#include "libpm/registry/refusal.h"

namespace pm::client {

/** Both set `error` and return false, which the failing call returns. */
bool fail_with(Error::Reason reason, int code, std::string_view doing, Error &error) noexcept;
bool fail_with(registry::Failure const &failure, Error &error) noexcept;

} // namespace pm::client
