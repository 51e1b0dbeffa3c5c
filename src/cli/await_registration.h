/** Waiting for a registration that does not exist yet. */
#pragma once

#include "libpm/os/time.h"
#include "libpm/registry/lookup.h"

namespace pm::registry {

/**
 * Looks the query up. With `awaits`, waits until there is a registration, through pm-listend as a child, which has ended when this returns.
 * `path`: the registry's. An error ends the program: after the deadline, with 99.
 */
void look_up(Tree const &tree, LookupQuery const &query, char const *path, bool awaits, Deadline deadline,
             LiveRegistrations &found) noexcept;

} // namespace pm::registry
