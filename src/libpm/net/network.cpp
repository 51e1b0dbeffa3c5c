#include "libpm/net/network.h"

#include <string.h>

namespace pm {

SockAddr network_of(SockAddr const &address, PrefixLengths lengths) noexcept {
  auto const host = address.unwrapped();
  auto const bytes = host.host_bytes();
  uint32_t const length = host.family() == AF_INET ? lengths.v4 : lengths.v6;
  unsigned char network[16] = {};
  memcpy(network, bytes.data(), bytes.size());
  for (uint32_t bit = length; bit < bytes.size() * 8; ++bit) {
    auto &byte = network[bit / 8];
    byte = static_cast<unsigned char>(byte & ~(0x80U >> bit % 8));
  }
  auto result = SockAddr::of_ip(host.family(), network, 0);
  if (host.scope()) result.set_scope(host.scope());
  return result;
}

bool same_host(SockAddr const &a, SockAddr const &b) noexcept {
  return a.family() == b.family() && a.host_bytes() == b.host_bytes();
}

bool is_same_network(SockAddr const &a, SockAddr const &b) noexcept {
  if (!a.is_ip() || !b.is_ip()) return false;
  auto const x = network_of(a), y = network_of(b);
  return same_host(x, y) && x.scope() == y.scope();
}

} // namespace pm
