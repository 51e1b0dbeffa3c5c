/** Waiting for a holder that is about to end. */
#pragma once

#include "libpm/registry/new_registrations.h"
#include "libpm/registry/tree.h"

namespace pm::registry {

/**
 * After a conflict of `wanted` with another registration of the effective user: if the process of that registration has ended, waits until
 * its holder has, too, for at most a second. Returns whether it has: then `wanted` can be tried again.
 */
[[nodiscard]] bool await_ending_holder(Tree const &tree, WantedRegistration const &wanted, Limit limit) noexcept;

} // namespace pm::registry
