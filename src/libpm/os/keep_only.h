/** Closes descriptors that a child process does not need. */
#pragma once

#include <span>

namespace pm {

/** Closes every descriptor except `kept`, for a child that goes on by itself; -1 in `kept` is ignored. */
void keep_only(std::span<int const> kept) noexcept;

} // namespace pm
