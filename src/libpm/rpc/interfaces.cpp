// Which of this host's addresses somebody else can reach.

#include <ifaddrs.h>
#include <pm/rpc/portmapper.h>
#include <string.h>

namespace pm::onc {

namespace {

Endpoint endpoint_at(struct sockaddr const *address) noexcept {
  Endpoint e = Endpoint::none();
  if (address && address->sa_family == AF_INET) memcpy(&e, address, sizeof e.v4);
  if (address && address->sa_family == AF_INET6) memcpy(&e, address, sizeof e.v6);
  return e;
}

bool in_network(Endpoint const &a, Endpoint const &b, Endpoint const &mask) noexcept {
  std::string_view const x = a.host(), y = b.host(), m = mask.host();
  if (x.size() != y.size() || x.size() != m.size()) return false;
  for (size_t i = 0; i < x.size(); ++i)
    if ((*(x.data() + i) ^ *(y.data() + i)) & *(m.data() + i)) return false;
  // A link-local network is one a link.
  return a.family() != AF_INET6 || !IN6_IS_ADDR_LINKLOCAL(&a.v6.sin6_addr) || !b.v6.sin6_scope_id ||
         a.v6.sin6_scope_id == b.v6.sin6_scope_id;
}

} // namespace

Endpoint interface_near(Endpoint const &near) noexcept {
  Endpoint found = Endpoint::none();
  struct ifaddrs *all;
  if (::getifaddrs(&all) < 0) return found;
  for (auto const *i = all; i; i = i->ifa_next) {
    Endpoint const own = endpoint_at(i->ifa_addr);
    if (own.family() != near.family() || !in_network(own, near, endpoint_at(i->ifa_netmask))) continue;
    found = own;
    if (same_host(own, near)) break;
  }
  ::freeifaddrs(all);
  return found;
}

} // namespace pm::onc
