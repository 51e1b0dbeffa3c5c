/** Base 64, RFC 4648, section 4: how etcd's JSON writes keys and values. */
#pragma once

#include <pm/types.h>
#include <string_view>

namespace pm::etcd {

/** Appends the bytes in base 64, with padding. False: out of memory. */
[[nodiscard]] bool append_base64(List<char> &out, std::string_view bytes) noexcept;

enum class Decoded : uint8_t { whole, malformed, no_memory };
/** Appends the bytes that a text in base 64 with padding stands for. Otherwise than `whole`, `out` may have some of them. */
[[nodiscard]] Decoded decode_base64(List<char> &out, std::string_view text) noexcept;

} // namespace pm::etcd
