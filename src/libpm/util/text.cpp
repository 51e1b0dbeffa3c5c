#include "libpm/util/text.h"

#include <fnmatch.h>

namespace pm {

bool has_control(std::string_view s) noexcept {
  // Eight bytes at a time, because every lookup checks its record with this.
  constexpr uint64_t ones = 0x0101010101010101, tops = 0x8080808080808080;
  while (s.size() >= sizeof(uint64_t)) {
    uint64_t word;
    memcpy(&word, s.data(), sizeof word);
    uint64_t const below_space = (word - ones * 0x20) & ~word & tops, del = word ^ ones * 0x7f;
    if (below_space | ((del - ones) & ~del & tops)) return true;
    s.remove_prefix(sizeof word);
  }
  for (char const c : s)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  return false;
}

Cut cut(std::string_view s, char separator) noexcept {
  auto const *at = s.empty() ? nullptr : static_cast<char const *>(memchr(s.data(), separator, s.size()));
  if (!at) return {s, {}, false};
  char const *const end = s.data() + s.size();
  return {{s.data(), static_cast<size_t>(at - s.data())}, {at + 1, static_cast<size_t>(end - at - 1)}, true};
}

bool is_word(std::string_view s, size_t most) noexcept {
  if (s.empty() || s.size() > most || s.front() == '.' || s.front() == '-') return false;
  for (char const c : s) {
    bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!letter && c != '.' && c != '_' && c != '-' && c != '@' && c != '+') return false;
  }
  return true;
}

bool matches(std::string_view patterns, std::string_view word) noexcept {
  Text<256> const text(word);
  while (!patterns.empty()) {
    auto const [pattern, after, more] = cut(patterns, ' ');
    patterns = after;
    Text<512> const p(pattern);
    if (p.size() && !p.overflowed() && ::fnmatch(p.c_str(), text.c_str(), 0) == 0) return true;
  }
  return false;
}

} // namespace pm

namespace pm::text {

std::optional<uint64_t> number(std::string_view s, uint64_t most) noexcept {
  uint64_t n = 0;
  for (char const c : s) {
    auto const digit = static_cast<unsigned>(c - '0');
    if (digit > 9 || __builtin_mul_overflow(n, 10U, &n) || __builtin_add_overflow(n, digit, &n)) return std::nullopt;
  }
  if (s.empty() || n > most) return std::nullopt;
  return n;
}

void append(FillState &state, char *bytes, size_t room, std::string_view s) noexcept {
  size_t const left = room - 1 - state.size;
  size_t const n = s.size() < left ? s.size() : left;
  if (n < s.size()) state.overflowed = true;
  if (n) memcpy(bytes + state.size, s.data(), n);
  state.size += n;
  bytes[state.size] = 0;
}

void append(FillState &state, char *bytes, size_t room, unsigned long long n, bool negative) noexcept {
  // Without std::to_chars, which would add its table of digits to every program.
  char digits[24];
  char *const end = digits + sizeof digits, *start = end;
  do *--start = static_cast<char>('0' + n % 10);
  while (n /= 10);
  if (negative) *--start = '-';
  append(state, bytes, room, {start, static_cast<size_t>(end - start)});
}

} // namespace pm::text
