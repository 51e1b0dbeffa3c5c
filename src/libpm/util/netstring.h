/** Netstrings: https://cr.yp.to/proto/netstrings.txt */
#pragma once

#include <pm/types.h>
#include <optional>
#include "libpm/util/result.h"

namespace pm {

/** Appends `LENGTH:BYTES,`. False: no memory. */
[[nodiscard]] bool append_netstring(List<char> &out, std::string_view bytes) noexcept;

/**
 * Takes the first netstring off `bytes` and returns its content, which views `bytes`. Nothing: the netstring is not complete yet.
 * EBADMSG: `bytes` is not the start of a netstring; EMSGSIZE: the content is longer than `most`.
 */
[[nodiscard]] Result<std::optional<std::string_view>> take_netstring(std::string_view &bytes, size_t most) noexcept;

} // namespace pm
