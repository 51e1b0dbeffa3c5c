/** Exclusive keys: a link of its token holds an exclusive registration's (service, version, netid, owner). */
#pragma once

#include "libpm/registry/new_registrations.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/** Whether a living registration of the same key forbids this one; reserved ones do as well. */
[[nodiscard]] Result<bool> conflicts(Transaction &transaction, std::string_view owner, WantedRegistration const &wanted) noexcept;

/** Takes the key of an exclusive registration that conflicts() allowed. */
[[nodiscard]] Done take_key(Transaction &transaction, Ticket const &ticket, Record const &record) noexcept;
/** Releases the key, unless another registration of the same call holds it too. Does nothing if the registration is not exclusive. */
[[nodiscard]] Done release_key(Transaction &transaction, Ticket const &ticket, Record const &record) noexcept;

} // namespace pm::registry
