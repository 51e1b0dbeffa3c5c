/** Removing registrations. */
#pragma once

#include "libpm/registry/lookup.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/** Whether the listeners of a service get `d` for a registration that is removed. */
enum class Announces : uint8_t { nothing, end };

/**
 * Removes a registration, reserved or published, and writes a byte into its token, for its holder. Listeners get `d` if it was published.
 * Removes directories that have become empty. Returns whether there was a registration.
 */
[[nodiscard]] Result<bool> remove(Transaction &transaction, Ticket const &ticket, Announces announces = Announces::end) noexcept;
/** The same for a registration whose FIFO's name is known, which saves the search. */
[[nodiscard]] Result<bool> remove(Transaction &transaction, std::string_view service, std::string_view owner,
                                  std::string_view name, Announces announces = Announces::end) noexcept;

/** Removes an owner's registrations that match the query, except for its `trust`. Returns how many. */
[[nodiscard]] Result<unsigned> remove_matching(Transaction &transaction, std::string_view owner,
                                               LookupQuery const &query) noexcept;

} // namespace pm::registry
