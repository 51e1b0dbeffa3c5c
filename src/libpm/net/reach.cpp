#include "libpm/net/reach.h"

#include "libpm/net/scope.h"

namespace pm {

bool is_in_loopback_network(SockAddr const &address) noexcept {
  SockAddr const unwrapped = address.unwrapped();
  std::string_view const host = unwrapped.host_bytes();
  return unwrapped.is_loopback() || (host.size() == 4 && host[0] == IN_LOOPBACKNET);
}

bool is_for_own_host(Address const &address) noexcept {
  if (address.netid() == Netid::none) return false;
  SockAddr const bound = SockAddr::of(address), unwrapped = bound.unwrapped();
  if (bound.is_local() || unwrapped.is_wildcard() || is_in_loopback_network(unwrapped)) return true;
  return unwrapped.family() == AF_INET6 && has_scope(unwrapped.host_bytes().data());
}

} // namespace pm
