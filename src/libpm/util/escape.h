/** Text that another user chose, for a terminal and for a line of output: pm-output(7). */
#pragma once

#include <pm/types.h>
#include <string_view>
#include "libpm/util/callback.h"

namespace pm {

/**
 * Passes `text` to `out` in pieces, escaped: a backslash as two, and each of these bytes as a backslash, a 0 and three octal digits:
 * - control characters: below 0x20, 0x7f, U+0080 to U+009F;
 * - characters that change the direction or the line of other text: U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069;
 * - what is not UTF-8.
 * Returns false as soon as `out` does.
 */
using TakePiece = Callback<bool(std::string_view)>;
[[nodiscard]] bool escape(std::string_view text, TakePiece out) noexcept;

/** Appends `text`, escaped. False: out of memory. */
[[nodiscard]] bool append_escaped(List<char> &out, std::string_view text) noexcept;

} // namespace pm
