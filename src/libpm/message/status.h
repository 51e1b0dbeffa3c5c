/** The Status and the Error of the public interface for a system error. */
#pragma once

#include <pm/status.h>
#include "libpm/util/result.h"

namespace pm::message {

/** For an operation of a connection: EAGAIN is pending, and EPROTO is bad_frame. */
[[nodiscard]] Status status_of(int code) noexcept;

/** For any other call: timeout, cancelled or system, and the text `unable to DOING: REASON`. */
[[nodiscard]] Error error_of(SysError error) noexcept;
/** A reason without an errno, and its text. */
[[nodiscard]] Error error_of(Status reason, std::string_view text) noexcept;

} // namespace pm::message
