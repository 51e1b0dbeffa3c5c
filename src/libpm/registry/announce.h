/** Announcing a process's executable: a registration that is found by the pid, not by a name. */
#pragma once

#include "libpm/registry/new_registrations.h"
#include "libpm/registry/refusal.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/** Announces the executable of a process, and removes what the process announced before. Listeners of the registry get `u`. */
[[nodiscard]] Answer<NewRegistrations> announce(Transaction &transaction, Registrant const &registrant,
                                                RegistrationTerms const &terms) noexcept;

} // namespace pm::registry
