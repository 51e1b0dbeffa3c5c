/** Making reserved registrations visible. */
#pragma once

#include <span>
#include "libpm/registry/layout.h"
#include "libpm/registry/refusal.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/**
 * Publishes reserved registrations, and sends their listeners `u`. Those that are visible already, or have been removed, are left alone.
 * `exe`: the executable, which makes them public, unless it is empty. not_found: all have been removed.
 */
[[nodiscard]] Answer<void> publish(Transaction &transaction, std::span<Ticket const> tickets, std::string_view exe,
                                   bool deleted) noexcept;

} // namespace pm::registry
