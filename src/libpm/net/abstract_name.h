/** How the abstract name of a Unix socket is written, unix(7). */
#pragma once

#include <optional>
#include "libpm/net/sock_addr.h"

namespace pm {

/** The bytes of an abstract name, without the NUL before them. */
using AbstractName = Text<local_path_max>;

/**
 * Writes an abstract name, without the @ before it, as it is; N NUL bytes at its end are written as `%{N}`. A name that ends so itself has
 * `%{0}` behind it. Programs that count all of sun_path as the name make such NULs. Empty: there is a control byte, or a NUL before others.
 */
[[nodiscard]] AddressText spell_abstract_name(std::string_view name) noexcept;

/** Reads what spell_abstract_name() writes. Nothing: another text, or a name that is empty or longer than 107 bytes. */
[[nodiscard]] std::optional<AbstractName> read_abstract_name(std::string_view text) noexcept;

/** As SockAddr::of_path(), with NAME as spell_abstract_name() writes it. EINVAL: read_abstract_name() does not read it. */
[[nodiscard]] Result<SockAddr> sock_addr_of_local(std::string_view text) noexcept;

} // namespace pm
