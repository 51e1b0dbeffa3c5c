#include <arpa/inet.h>
#include <pm/base/socket_address.h>
#include <pm/super/source.h>
#include <string.h>

namespace pm::super {

Source Source::of_address(SocketName const &name) noexcept {
  Source result = {address, {}};
  if (name.any.sa_family == AF_INET6) {
    memcpy(result.words, &name.v6.sin6_addr, sizeof result.words);
  } else {
    result.words[2] = htonl(0xffff);
    memcpy(&result.words[3], &name.v4.sin_addr, sizeof result.words[3]);
  }
  return result;
}

Text<56> Source::text() const noexcept {
  Text<56> text;
  if (kind == user) return text << "uid " << words[0];
  if (kind != address) return text << "uid ?";
  SocketName name = {};
  name.v6.sin6_family = AF_INET6;
  memcpy(&name.v6.sin6_addr, words, sizeof words);
  return text << "ip " << ip_of(name).host.view();
}

} // namespace pm::super
