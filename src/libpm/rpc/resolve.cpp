#include "libpm/rpc/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>
#include "libpm/os/in_child.h"
#include "libpm/os/sys.h"

namespace pm::rpc {

namespace {

struct Found {
  int code = ENXIO;
  SockAddr address;
};

Found look_up(char const *host, int family) noexcept {
  Found found;
  struct addrinfo wanted = {};
  wanted.ai_family = family;
  wanted.ai_socktype = SOCK_STREAM;
  struct addrinfo *all = nullptr;
  int const code = ::getaddrinfo(host, nullptr, &wanted, &all);
  if (code == EAI_AGAIN) found.code = EAGAIN;
  for (auto const *one = code ? nullptr : all; one; one = one->ai_next) {
    found.address = SockAddr::copy(one->ai_addr, one->ai_addrlen);
    if (!found.address.is_ip()) continue;
    found.code = 0;
    break;
  }
  return found; // do not free the list: the process ends
}

} // namespace

Result<SockAddr> resolve(char const *host, int family, Limit limit) noexcept {
  constexpr char const *doing = "find the host";
  for (int const one : {AF_INET, AF_INET6}) {
    unsigned char bytes[16];
    if (::inet_pton(one, host, bytes) != 1) continue;
    if (family != AF_UNSPEC && family != one) return failed(doing, EAFNOSUPPORT);
    return SockAddr::of_ip(one, bytes, 0);
  }
  // getaddrinfo(3) takes no deadline: it runs in a process that can be killed.
  Found found;
  char bytes[sizeof found];
  auto const came = in_child(
      [&](int pipe) noexcept {
        Found const own = look_up(host, family);
        (void)!sys::write(pipe, &own, sizeof own);
      },
      bytes, doing, limit);
  if (!came) return fail(came);
  if (*came == sizeof found) memcpy(&found, bytes, sizeof found);
  if (found.code) return failed(doing, found.code);
  return found.address;
}

} // namespace pm::rpc
