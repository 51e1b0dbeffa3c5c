#include "libpm/util/escape.h"

#include <stddef.h>
#include <stdint.h>

namespace pm {

namespace {

/** Whether an output has this character, which is no backslash, as it is. */
constexpr bool is_plain(uint32_t c) noexcept {
  if (c < 0x20 || (c >= 0x7f && c <= 0x9f)) return false;
  if (c < 0x061c) return true;
  return c != 0x061c && c != 0x200e && c != 0x200f && (c < 0x2028 || c > 0x202e) && (c < 0x2066 || c > 0x2069);
}

/** The length of the first character, which need not be plain; 0: it is not UTF-8 (RFC 3629). */
size_t read_character(std::string_view text, uint32_t &character) noexcept {
  auto const byte = [&](size_t i) noexcept { return static_cast<unsigned char>(text.data()[i]); };
  unsigned const first = byte(0);
  if (first < 0x80) {
    character = first;
    return 1;
  }
  size_t const size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  character = first & (0x7fU >> size);
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    character = character << 6 | (byte(i) & 0x3fU);
  }
  bool const is_overlong = (size == 3 && character < 0x800) || (size == 4 && character < 0x10000);
  return is_overlong || (character >= 0xd800 && character <= 0xdfff) || character > 0x10ffff ? 0 : size;
}

bool escape_byte(char c, TakePiece out) noexcept {
  auto const byte = static_cast<unsigned char>(c);
  char const digits[] = {'\\', '0', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
                         static_cast<char>('0' + (byte & 7))};
  return out({digits, sizeof digits});
}

} // namespace

bool escape(std::string_view text, TakePiece out) noexcept {
  size_t plain = 0;
  for (size_t at = 0; at < text.size();) {
    uint32_t character = 0;
    std::string_view const rest(text.data() + at, text.size() - at);
    size_t const size = read_character(rest, character);
    if (size && character != '\\' && is_plain(character)) {
      at += size;
      continue;
    }
    if (at > plain && !out({text.data() + plain, at - plain})) return false;
    size_t const end = at + (size ? size : 1);
    if (size && character == '\\') {
      if (!out("\\\\")) return false;
    } else {
      for (size_t i = at; i < end; ++i)
        if (!escape_byte(text.data()[i], out)) return false;
    }
    plain = at = end;
  }
  return plain == text.size() || out({text.data() + plain, text.size() - plain});
}

bool append_escaped(List<char> &out, std::string_view text) noexcept {
  return escape(text, [&out](std::string_view piece) noexcept { return append(out, piece); });
}

} // namespace pm
