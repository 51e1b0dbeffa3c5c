#include "etcd/base64.h"

namespace pm::etcd {

namespace {
constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

unsigned byte_at(std::string_view bytes, size_t i) noexcept {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0;
}

/** The six bits of a character; 64 and more: it has none. */
unsigned bits_of(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
  if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
  return c == '+' ? 62 : c == '/' ? 63 : 64;
}
} // namespace

bool append_base64(List<char> &out, std::string_view bytes) noexcept {
  if (!out.reserve(out.size() + (bytes.size() + 2) / 3 * 4)) return false;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    unsigned const group = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    char quad[4];
    for (size_t j = 0; j < 4; ++j) quad[j] = i + j > bytes.size() ? '=' : alphabet[group >> (18 - 6 * j) & 63];
    if (!append(out, {quad, 4})) return false;
  }
  return true;
}

Decoded decode_base64(List<char> &out, std::string_view text) noexcept {
  if (text.size() % 4) return Decoded::malformed;
  for (size_t i = 0; i < text.size(); i += 4) {
    bool const is_last = i + 4 == text.size();
    size_t const padding = !is_last || text[i + 3] != '=' ? 0 : text[i + 2] != '=' ? 1 : 2;
    unsigned group = 0;
    for (size_t j = 0; j < 4 - padding; ++j) {
      unsigned const bits = bits_of(text[i + j]);
      if (bits > 63) return Decoded::malformed;
      group |= bits << (18 - 6 * j);
    }
    // Bits that stand for no byte are 0: each value has one spelling.
    if (group & ((1u << 8 * padding) - 1)) return Decoded::malformed;
    char const bytes[] = {static_cast<char>(group >> 16), static_cast<char>(group >> 8), static_cast<char>(group)};
    if (!append(out, {bytes, 3 - padding})) return Decoded::no_memory;
  }
  return Decoded::whole;
}

} // namespace pm::etcd
