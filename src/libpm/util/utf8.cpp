#include "libpm/util/utf8.h"

namespace pm {

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

} // namespace pm
