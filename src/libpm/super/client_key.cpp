#include "libpm/super/client_key.h"
#include <arpa/inet.h>
#include <string.h>

namespace pm::super {

ClientKey ClientKey::of_address(SockAddr const &name, PrefixLengths lengths) noexcept {
  auto const network = network_of(name, lengths);
  ClientKey result = {address, {}, network.scope()};
  auto const host = network.host_bytes();
  if (network.family() != AF_INET6) result.words[2] = htonl(0xffff);
  memcpy(reinterpret_cast<char *>(result.words) + sizeof result.words - host.size(), host.data(), host.size());
  return result;
}

Text<72> ClientKey::text() const noexcept {
  Text<72> text;
  if (kind == user) return text << "uid " << words[0];
  if (kind != address) return text << "uid ?";
  auto name = SockAddr::of_ip(AF_INET6, words, 0);
  name.set_scope(scope);
  return text << "ip " << name.host().view();
}

} // namespace pm::super
