#include "libpm/rpc/interfaces.h"

#include <ifaddrs.h>
#include "libpm/net/network.h"

namespace pm::rpc {

namespace {

SockAddr address_at(struct sockaddr const *address) noexcept {
  if (address && address->sa_family == AF_INET) return SockAddr::copy(address, sizeof(struct sockaddr_in));
  if (address && address->sa_family == AF_INET6) return SockAddr::copy(address, sizeof(struct sockaddr_in6));
  return {};
}

bool in_network(SockAddr const &a, SockAddr const &b, SockAddr const &mask) noexcept {
  std::string_view const x = a.host_bytes(), y = b.host_bytes(), m = mask.host_bytes();
  if (x.size() != y.size() || x.size() != m.size()) return false;
  for (size_t i = 0; i < x.size(); ++i)
    if ((*(x.data() + i) ^ *(y.data() + i)) & *(m.data() + i)) return false;
  // Each link has a link-local network of its own.
  return !a.is_link_local() || !b.scope() || a.scope() == b.scope();
}

} // namespace

SockAddr interface_near(SockAddr const &near) noexcept {
  SockAddr found;
  struct ifaddrs *all;
  if (::getifaddrs(&all) < 0) return found;
  for (auto const *i = all; i; i = i->ifa_next) {
    SockAddr const own = address_at(i->ifa_addr);
    if (own.family() != near.family() || !in_network(own, near, address_at(i->ifa_netmask))) continue;
    found = own;
    if (same_host(own, near)) break;
  }
  ::freeifaddrs(all);
  return found;
}

} // namespace pm::rpc
