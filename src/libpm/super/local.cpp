#include <pm/super/local.h>

namespace pm::super {

namespace {
constexpr size_t path_offset = offsetof(struct sockaddr_un, sun_path);
}

Text<local_path_max + 1> text_of(SocketName const &name, socklen_t size) noexcept {
  Text<local_path_max + 1> text;
  if (size <= path_offset || size > sizeof name) return text;
  char const *const path = name.local.sun_path;
  size_t const length = size - path_offset;
  std::string_view const said = *path ? std::string_view(path, strnlen(path, length)) : std::string_view(path + 1, length - 1);
  // No second line, no other word for a terminal, and no path that is taken for an abstract name.
  if (has_control(said) || memchr(said.data(), 0, said.size()) || (*path == '@')) return text;
  if (!*path) text << '@';
  text << said;
  return text;
}

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

Result<Fd> connect_local(LocalAddress const &name, Deadline deadline, int type) noexcept {
  return pm::connect_local(name.text(), deadline, type);
}

} // namespace pm::super
