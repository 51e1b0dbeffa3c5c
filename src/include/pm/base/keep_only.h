/** Which descriptors a process has. */
#ifndef PM_BASE_KEEP_ONLY_H
#define PM_BASE_KEEP_ONLY_H

#include <span>

namespace pm {

/** Closes every descriptor but the given ones, for a child that lives on by itself; -1 among them is none. Sorts `kept`. */
void keep_only(std::span<int const> kept) noexcept;

} // namespace pm

#endif
