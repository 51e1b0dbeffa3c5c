#include "libpm/notify/stored_name.h"

#include <ctype.h>
#include <string.h>
#include "libpm/net/listen_fds.h"

namespace pm::notify {

namespace {

constexpr char separator = '+';
constexpr char digits[] = "0123456789ABCDEF";

bool is_plain(char c) noexcept {
  return ::isalnum(static_cast<unsigned char>(c)) || (c && strchr("._-@", c));
}

/** The value of a hexadecimal digit; nothing: it is not one as name_in_store() writes it. */
std::optional<unsigned> value_of(char c) noexcept {
  char const *const found = c ? strchr(digits, c) : nullptr;
  if (!found) return std::nullopt;
  return static_cast<unsigned>(found - digits);
}

} // namespace

bool is_service_in_store(std::string_view name) noexcept {
  return is_word(name, service_max) && name.find(separator) == name.npos;
}

std::optional<NameInStore> name_in_store(std::string_view service, uint32_t number, std::string_view name) noexcept {
  NameInStore text(service);
  text << separator << number << separator;
  for (char const c : name) {
    auto const byte = static_cast<unsigned char>(c);
    if (is_plain(c)) text << c;
    else text << separator << digits[byte >> 4] << digits[byte & 15];
  }
  if (text.overflowed()) return std::nullopt;
  return text;
}

std::optional<NumberedName> read_name_in_store(std::string_view service, std::string_view text) noexcept {
  auto const [owner, rest, found] = cut(text, separator);
  auto const [digits_of_number, name, is_numbered] = cut(rest, separator);
  auto const n = number<uint32_t>(digits_of_number);
  if (!found || owner != service || !is_numbered || !n) return std::nullopt;
  NumberedName read;
  read.number = *n;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != separator) {
      read.name << name[i];
      continue;
    }
    auto const high = i + 2 < name.size() ? value_of(name[i + 1]) : std::nullopt;
    auto const low = high ? value_of(name[i + 2]) : std::nullopt;
    if (!low) return std::nullopt;
    read.name << static_cast<char>(*high << 4 | *low);
    i += 2;
  }
  // Only in the one spelling that name_in_store() writes, with a name that a program can have given.
  auto const again = name_in_store(service, *n, read.name.view());
  if (!again || again->view() != text || !is_listen_name(read.name.view())) return std::nullopt;
  return read;
}

} // namespace pm::notify
