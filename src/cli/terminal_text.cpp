#include "cli/terminal_text.h"

#include <langinfo.h>
#include <locale.h>
#include <pwd.h>
#include <wchar.h>
#include "cli/say.h"
#include "libpm/util/escape.h"
#include "libpm/util/utf8.h"

namespace pm {

TerminalText::TerminalText() noexcept
    : is_utf8_(::setlocale(LC_CTYPE, "") && std::string_view(::nl_langinfo(CODESET)) == "UTF-8") {}

int TerminalText::width_of(uint32_t character) const noexcept {
  if (character < 0x80) return 1;
  return is_utf8_ ? ::wcwidth(static_cast<wchar_t>(character)) : -1;
}

bool TerminalText::append(List<char> &out, std::string_view text) const noexcept {
  return escape(
      text, [&out](std::string_view piece) noexcept { return pm::append(out, piece); },
      [this](uint32_t character) noexcept { return width_of(character) >= 0; });
}

TerminalText::Unit TerminalText::first(std::string_view text) const noexcept {
  // A backslash is the first of two, or of \0 and three digits.
  if (text.front() == '\\') {
    size_t const size = text.size() > 1 && text[1] == '0' ? 5 : 2;
    return {size, size};
  }
  uint32_t character = 0;
  size_t const size = read_character(text, character);
  return {size, static_cast<size_t>(width_of(character))};
}

size_t TerminalText::width(std::string_view text) const noexcept {
  size_t width = 0;
  while (!text.empty()) {
    Unit const unit = first(text);
    width += unit.width;
    text.remove_prefix(unit.size);
  }
  return width;
}

std::string_view TerminalText::cut(std::string_view text, size_t width) const noexcept {
  size_t size = 0;
  while (size < text.size()) {
    Unit const unit = first(text.substr(size));
    if (unit.width > width) break;
    width -= unit.width;
    size += unit.size;
  }
  return text.substr(0, size);
}

Text<32> short_time(uint64_t seconds) noexcept {
  constexpr struct {
    uint64_t seconds;
    char letter;
  } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
  size_t i = 0;
  while (i < 3 && seconds < units[i].seconds) ++i;
  Text<32> text;
  text << seconds / units[i].seconds << units[i].letter;
  if (i == 3) return text;
  if (uint64_t const rest = seconds % units[i].seconds / units[i + 1].seconds) text << rest << units[i + 1].letter;
  return text;
}

std::string_view UserNames::operator[](uid_t user) noexcept {
  for (Known const &known : known_)
    if (known.user == user) return known.name.view();
  auto const *const entry = ::getpwuid(user);
  Known known{user, entry ? Text<256>(entry->pw_name) : Text<256>()};
  if (!entry || known.name.overflowed()) known.name = Text<256>() << user;
  if (!known_.append(known)) die_no_memory();
  return known_.begin()[known_.size() - 1].name.view();
}

} // namespace pm
