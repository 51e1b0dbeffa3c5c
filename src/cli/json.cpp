#include "cli/json.h"

#include "libpm/util/text.h"
#include "libpm/util/utf8.h"

namespace pm {

namespace {

bool is_utf8(std::string_view text) noexcept {
  uint32_t character;
  for (size_t size; !text.empty(); text.remove_prefix(size))
    if (size = read_character(text, character); !size) return false;
  return true;
}

bool append_bytes(List<char> &out, std::string_view bytes) noexcept {
  bool fits = append(out, "[");
  for (size_t i = 0; i < bytes.size(); ++i)
    fits = fits && append(out, (Text<8>(i ? "," : "") << static_cast<unsigned>(static_cast<unsigned char>(bytes[i]))).view());
  return fits && append(out, "]");
}

/** A backslash, u and four hexadecimal digits. No character above U+FFFF needs it. */
bool append_number(List<char> &out, uint32_t character) noexcept {
  Text<8> escaped("\\u");
  append_hexadecimal(escaped, character, 4);
  return append(out, escaped.view());
}

} // namespace

bool append_json(List<char> &out, std::string_view text) noexcept {
  if (!is_utf8(text)) return append_bytes(out, text);
  bool fits = append(out, "\"");
  for (uint32_t character = 0; fits && !text.empty();) {
    size_t const size = read_character(text, character);
    bool const is_special = character == '"' || character == '\\';
    fits = is_plain(character) ? (!is_special || append(out, "\\")) && append(out, text.substr(0, size))
                               : append_number(out, character);
    text.remove_prefix(size);
  }
  return fits && append(out, "\"");
}

} // namespace pm
