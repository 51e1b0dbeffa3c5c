/** The directories of services and owners, which are made with their first file and removed with their last. */
#pragma once

#include "libpm/registry/layout.h"
#include "libpm/registry/transaction.h"

namespace pm::registry {

/** Makes a directory that lookups read, if it is missing. */
[[nodiscard]] Done make_directory(Transaction &transaction, Path const &path, char const *doing) noexcept;
/**
 * Makes service/NAME/UID, for a registration. `fifodir`: and the service's fifodir. The port mapper does without, which saves a sixth of
 * the time of SET and UNSET: the first listener makes the fifodir, unless a group can listen without the lock.
 */
[[nodiscard]] Done make_service_directories(Transaction &transaction, std::string_view service, std::string_view owner,
                                            bool fifodir = true) noexcept;
/** Makes service/NAME and its fifodir, with the mode of the registry's fifodir. */
[[nodiscard]] Done make_service_fifodir(Transaction &transaction, std::string_view service) noexcept;
/** Makes the link to the executable of a registration, or replaces it. ENOSPC. */
[[nodiscard]] Done link_executable(Transaction &transaction, Ticket const &ticket, std::string_view exe) noexcept;
/** Removes service/NAME/UID and service/NAME if they have become empty. Returns whether it removed the service's. */
bool prune(Transaction &transaction, std::string_view service, std::string_view owner) noexcept;

} // namespace pm::registry
