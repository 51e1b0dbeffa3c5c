#include <pm/base/local_address.h>

namespace pm {

LocalAddress LocalAddress::argument(Options const &options, std::string_view text) noexcept {
  auto const refuse = [&](char const *why) noexcept { options.refuse((Text<512>(why) << text).view()); };
  std::string_view path = text;
  if (auto const [head, tail, found] = cut(text, ':'); found && head == "local") path = tail;
  else if ((found && netid(head)) || text == "none") refuse("only local addresses: ");
  else if (found && head.find('/') == std::string_view::npos) refuse("not an address (a path with a colon is ./PATH): ");
  else if (text.starts_with('@')) refuse("not an address (an abstract name is local:@NAME, a path is ./PATH): ");
  if (path.empty() || path == "@" || has_control(path)) refuse("not an address: ");
  if (path.size() >= local_path_max) refuse("not an address, for it is longer than 107 bytes: ");

  LocalAddress name;
  name.text_ << path;
  auto const kernels = LocalName::make(path);
  if (!kernels) refuse("not an address: ");
  name.name_ = *kernels;
  return name;
}

} // namespace pm
