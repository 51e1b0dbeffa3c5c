/** The Status for an errno. */
#pragma once

#include <pm/connection.h>

namespace pm::message {

/** For an operation of a connection: EAGAIN is pending, and EPROTO is bad_frame. */
[[nodiscard]] Status status_of(int code) noexcept;

} // namespace pm::message
