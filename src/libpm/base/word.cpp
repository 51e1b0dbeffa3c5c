#include <pm/base/text.h>

#include <fnmatch.h>

namespace pm {

bool is_word(std::string_view s, size_t most) noexcept {
  if (s.empty() || s.size() > most || s.front() == '.') return false;
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
