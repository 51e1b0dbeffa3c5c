#include <pm/base/text.h>

namespace pm::text {

void append(State &state, char *bytes, size_t room, std::string_view s) noexcept {
  size_t const left = room - 1 - state.size;
  size_t const n = s.size() < left ? s.size() : left;
  if (n < s.size()) state.overflowed = true;
  if (n) memcpy(bytes + state.size, s.data(), n);
  state.size += n;
  bytes[state.size] = 0;
}

void append(State &state, char *bytes, size_t room, unsigned long long n, bool negative) noexcept {
  char digits[24];
  char *const end = std::to_chars(digits + 1, digits + sizeof digits, n).ptr;
  digits[0] = '-';
  char const *const start = negative ? digits : digits + 1;
  append(state, bytes, room, {start, static_cast<size_t>(end - start)});
}

} // namespace pm::text
