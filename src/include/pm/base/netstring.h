/** Netstrings: https://cr.yp.to/proto/netstrings.txt */
#ifndef PM_BASE_NETSTRING_H
#define PM_BASE_NETSTRING_H

#include <pm/base/list.h>
#include <pm/base/result.h>
#include <optional>

namespace pm {

/** Appends `LENGTH:BYTES,`. False: no memory. */
[[nodiscard]] bool append_netstring(List<char> &out, std::string_view bytes) noexcept;

/**
 * Takes the first netstring off `bytes`: what is in it, viewed. Nothing: it is not whole yet. EBADMSG: it is none, and
 * never will be; EMSGSIZE: it is longer than `most`.
 */
[[nodiscard]] Result<std::optional<std::string_view>> take_netstring(std::string_view &bytes, size_t most) noexcept;

} // namespace pm

#endif
