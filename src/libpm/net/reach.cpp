#include "libpm/net/reach.h"

namespace pm {

bool is_in_loopback_network(SockAddr const &address) noexcept {
  SockAddr const unwrapped = address.unwrapped();
  std::string_view const host = unwrapped.host_bytes();
  return unwrapped.is_loopback() || (host.size() == 4 && host[0] == IN_LOOPBACKNET);
}

bool is_for_own_host(Address const &address) noexcept {
  if (address.netid() == Netid::none) return false;
  SockAddr const bound = SockAddr::of(address);
  return bound.is_local() || bound.is_wildcard() || bound.is_link_local() || is_in_loopback_network(bound);
}

} // namespace pm
