#include "libpm/util/netstring.h"

#include "libpm/util/text.h"

namespace pm {

bool append_netstring(List<char> &out, std::string_view bytes) noexcept {
  return append(out, (Text<24>() << bytes.size() << ':').view()) && append(out, bytes) && append(out, ",");
}

Result<std::optional<std::string_view>> take_netstring(std::string_view &bytes, size_t most) noexcept {
  constexpr char const *doing = "read a netstring";
  constexpr size_t digits_max = 10;
  size_t digits = 0, length = 0;
  for (; digits < bytes.size() && bytes[digits] >= '0' && bytes[digits] <= '9'; ++digits) {
    if (digits == digits_max || (digits == 1 && bytes[0] == '0')) return failed(doing, EBADMSG);
    length = length * 10 + static_cast<size_t>(bytes[digits] - '0');
  }
  if (length > most) return failed(doing, EMSGSIZE);
  if (digits == bytes.size()) return std::nullopt;
  if (digits == 0 || bytes[digits] != ':') return failed(doing, EBADMSG);
  size_t const whole = digits + 1 + length + 1;
  if (bytes.size() < whole) return std::nullopt;
  if (bytes[whole - 1] != ',') return failed(doing, EBADMSG);
  std::string_view const content(bytes.data() + digits + 1, length);
  bytes.remove_prefix(whole);
  return content;
}

} // namespace pm
