/** Waiting for a holder that is about to end. */
#pragma once

#include "libpm/registry/new_registrations.h"
#include "libpm/registry/tree.h"

namespace pm::registry {

/**
 * What a look at the registration that forbids another shows: it stays, it has ended, or no such registration is there. Then it ended
 * before the look; or this is a user namespace, in which the owner's directory has another name.
 */
enum class Conflict { stays, ended, unseen };

/**
 * After a conflict of `wanted` with another registration of the effective user: if the process of that registration has ended, waits until
 * its holder has, too, for at most a second. Unless it stays, `wanted` can be tried again.
 */
[[nodiscard]] Conflict await_ending_holder(Tree const &tree, WantedRegistration const &wanted, Limit limit) noexcept;

} // namespace pm::registry
