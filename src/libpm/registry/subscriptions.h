/** Listeners to the changes of a service or of the registry. */
#pragma once

#include "libpm/fifodir/subscription.h"
#include "libpm/registry/policy.h"
#include "libpm/registry/refusal.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/** Makes a listener to the changes of a service, or of the registry if `service` is empty. bad_name. */
[[nodiscard]] Answer<fifodir::Subscription> subscribe(Transaction &transaction, std::string_view service) noexcept;
/** The same for a user with a limit of listeners: user_limit. */
[[nodiscard]] Answer<fifodir::Subscription> subscribe_within(Transaction &transaction, std::string_view service, uid_t uid,
                                                             Policy const &policy) noexcept;
/** Ends a subscription by its name. */
[[nodiscard]] Done unsubscribe(Transaction &transaction, std::string_view service, std::string_view name) noexcept;

} // namespace pm::registry
