/** Questions to the kernel about sockets: sock_diag(7). */
#pragma once

#include <string_view>
#include "libpm/util/callback.h"
#include "libpm/util/result.h"

namespace pm {

/**
 * Asks for the socket that `request`, the bytes of a struct of sock_diag(7), names, or for `all` that it describes. Visits what follows the
 * header of each answer. ENOENT: there is no such socket, unless all are asked for. EPROTONOSUPPORT and others: this kernel does not
 * report it. `doing` is for the error.
 */
[[nodiscard]] Done ask_sock_diag(std::string_view request, bool all, char const *doing,
                                 Callback<void(std::string_view answer)> visit) noexcept;

/** Visits the attributes of an answer, which begin after its first `skipped` bytes. */
void each_attribute(std::string_view answer, size_t skipped,
                    Callback<void(uint16_t type, std::string_view value)> visit) noexcept;

} // namespace pm
