#include "libpm/super/client_key.h"
#include <arpa/inet.h>
#include <string.h>

namespace pm::super {

ClientKey ClientKey::of_address(SockAddr const &name) noexcept {
  ClientKey result = {address, {}};
  auto const host = name.host_bytes();
  if (name.family() != AF_INET6) result.words[2] = htonl(0xffff);
  memcpy(reinterpret_cast<char *>(result.words) + sizeof result.words - host.size(), host.data(), host.size());
  return result;
}

Text<56> ClientKey::text() const noexcept {
  Text<56> text;
  if (kind == user) return text << "uid " << words[0];
  if (kind != address) return text << "uid ?";
  return text << "ip " << SockAddr::of_ip(AF_INET6, words, 0).host().view();
}

} // namespace pm::super
