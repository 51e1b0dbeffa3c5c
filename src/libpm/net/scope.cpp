#include "libpm/net/scope.h"

#include <net/if.h>
#include <netinet/in.h>
#include <algorithm>

namespace pm {

bool has_scope(void const *host) noexcept {
  auto const *const address = static_cast<struct in6_addr const *>(host);
  return IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_MC_LINKLOCAL(address);
}

bool is_scope(std::string_view text) noexcept {
  if (text.empty() || text.size() >= IF_NAMESIZE || text.front() == '0') return false;
  return std::all_of(text.begin(), text.end(), [](char c) noexcept { return c > ' ' && c < 127 && !strchr("/:[]%", c); });
}

uint32_t interface_of(std::string_view scope) noexcept {
  if (unsigned const named = ::if_nametoindex(Text<IF_NAMESIZE>(scope).c_str())) return named;
  return number<uint32_t>(scope).value_or(no_interface);
}

ScopeText scope_text(uint32_t interface) noexcept {
  char name[IF_NAMESIZE];
  if (::if_indextoname(interface, name)) return ScopeText(name);
  return ScopeText() << interface;
}

} // namespace pm
