#include "libpm/util/escape.h"

#include "libpm/util/utf8.h"

namespace pm {

namespace {

bool escape_byte(char c, TakePiece out) noexcept {
  auto const byte = static_cast<unsigned char>(c);
  char const digits[] = {'\\', '0', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + (byte >> 3 & 7)),
                         static_cast<char>('0' + (byte & 7))};
  return out({digits, sizeof digits});
}

template <class Shows>
bool escape_unless(std::string_view text, TakePiece out, Shows shows) noexcept {
  size_t plain = 0;
  for (size_t at = 0; at < text.size();) {
    uint32_t character = 0;
    std::string_view const rest(text.data() + at, text.size() - at);
    size_t const size = read_character(rest, character);
    if (size && character != '\\' && is_plain(character) && shows(character)) {
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

} // namespace

bool escape(std::string_view text, TakePiece out) noexcept {
  return escape_unless(text, out, [](uint32_t) noexcept { return true; });
}

bool escape(std::string_view text, TakePiece out, ShowsCharacter shows) noexcept {
  return escape_unless(text, out, shows);
}

bool append_escaped(List<char> &out, std::string_view text) noexcept {
  return escape(text, [&out](std::string_view piece) noexcept { return append(out, piece); });
}

} // namespace pm
