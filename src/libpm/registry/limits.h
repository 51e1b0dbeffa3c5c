/** Whether a policy admits a change. The registry's service calls this before it makes the change, in the same transaction. */
#pragma once

#include <span>
#include "libpm/registry/new_registrations.h"
#include "libpm/registry/policy.h"
#include "libpm/registry/refusal.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/** More registrations. bad_name, rule, process_limit, user_limit. */
[[nodiscard]] Answer<void> admit(Transaction &transaction, Registrant const &registrant, std::span<WantedRegistration const> all,
                                 Policy const &policy) noexcept;
/** An announcement, which counts as a registration. process_limit, user_limit. */
[[nodiscard]] Answer<void> admit_announcement(Transaction &transaction, Registrant const &registrant,
                                              Policy const &policy) noexcept;
/** One more listener. The limit of a user's registrations is also that of its listeners: user_limit. */
[[nodiscard]] Answer<void> admit_listener(Transaction &transaction, std::string_view owner, Policy const &policy) noexcept;

} // namespace pm::registry
