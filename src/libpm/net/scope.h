/** Scopes of link-local IPv6 addresses (RFC 4007): %INTERFACE, an interface's name or number. */
#pragma once

#include <stdint.h>
#include "libpm/util/text.h"

namespace pm {

/** Room for an interface's name or number. */
using ScopeText = Text<24>;

/** The number of an interface that does not exist: bind(2) and connect(2) with this scope fail. */
inline constexpr uint32_t no_interface = UINT32_MAX;

/** Whether an IPv6 address, 16 bytes, has a scope: it is link-local, unicast or multicast. */
[[nodiscard]] bool has_scope(void const *host) noexcept;
/** Whether the text can be an interface's name or number. The interface need not exist. */
[[nodiscard]] bool is_scope(std::string_view text) noexcept;
/** The number of the interface with this name, or of this number; no_interface: there is none of this name. */
[[nodiscard]] uint32_t interface_of(std::string_view scope) noexcept;
/** The name of an interface; its number if it does not exist. */
[[nodiscard]] ScopeText scope_text(uint32_t interface) noexcept;

} // namespace pm
