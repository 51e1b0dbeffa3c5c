/** UTF-8: RFC 3629. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string_view>

namespace pm {

/** Reads the first character of a text that is not empty. Returns its length in bytes; 0: the text does not begin with UTF-8. */
[[nodiscard]] size_t read_character(std::string_view text, uint32_t &character) noexcept;

/**
 * Whether a character moves no cursor, and neither the direction nor the line of other text. Not plain are U+0000 to U+001F, U+007F to
 * U+009F, U+061C, U+200E, U+200F, U+2028 to U+202E, U+2066 to U+2069.
 */
[[nodiscard]] constexpr bool is_plain(uint32_t c) noexcept {
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
  if (c < 0x061c) return true;
  return c != 0x061c && c != 0x200e && c != 0x200f && (c < 0x2028 || c > 0x202e) && (c < 0x2066 || c > 0x2069);
}

} // namespace pm
