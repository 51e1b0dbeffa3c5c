#include "libpm/net/abstract_name.h"

namespace pm {

namespace {

/** Takes `%{N}` off the end. Nothing: the text ends in another way. */
std::optional<uint32_t> take_count(std::string_view &text) noexcept {
  size_t const begin = text.rfind("%{");
  if (begin == text.npos || !text.ends_with('}')) return std::nullopt;
  auto const count = number<uint32_t>({text.data() + begin + 2, text.size() - begin - 3});
  if (count) text = {text.data(), begin};
  return count;
}

} // namespace

AddressText spell_abstract_name(std::string_view name) noexcept {
  size_t const last = name.find_last_not_of('\0');
  std::string_view const rest(name.data(), last == name.npos ? 0 : last + 1);
  if (has_control(rest)) return {};
  AddressText text(rest);
  size_t const nuls = name.size() - rest.size();
  auto ending = rest;
  if (nuls || take_count(ending)) text << "%{" << nuls << '}';
  return text;
}

std::optional<AbstractName> read_abstract_name(std::string_view text) noexcept {
  auto rest = text;
  uint32_t nuls = take_count(rest).value_or(0);
  AbstractName name(rest);
  while (nuls-- && !name.overflowed()) name << '\0';
  // Each name has one spelling.
  if (!name.size() || name.overflowed() || spell_abstract_name(name.view()).view() != text) return std::nullopt;
  return name;
}

Result<SockAddr> sock_addr_of_local(std::string_view text) noexcept {
  if (!text.starts_with('@')) return SockAddr::of_path(text);
  text.remove_prefix(1);
  auto const name = read_abstract_name(text);
  if (!name) return failed("use a socket's abstract name", EINVAL);
  return SockAddr::of_path((Text<local_path_max + 1>("@") << name->view()).view());
}

} // namespace pm
