/** Text that another user chose, for a terminal and for a line of output: pm-output(7). */
#pragma once

#include <pm/types.h>
#include <string_view>
#include "libpm/util/callback.h"

namespace pm {

/**
 * Passes `text` to `out` in pieces, escaped: a backslash as two, and each of these bytes as a backslash, a 0 and three octal digits:
 * - of the characters that are not plain: is_plain();
 * - of the characters that `shows` refuses;
 * - what is not UTF-8.
 * Returns false as soon as `out` does.
 */
using TakePiece = Callback<bool(std::string_view)>;
using ShowsCharacter = Callback<bool(uint32_t)>;
[[nodiscard]] bool escape(std::string_view text, TakePiece out) noexcept;
[[nodiscard]] bool escape(std::string_view text, TakePiece out, ShowsCharacter shows) noexcept;

/** Appends `text`, escaped. False: out of memory. */
[[nodiscard]] bool append_escaped(List<char> &out, std::string_view text) noexcept;

} // namespace pm
