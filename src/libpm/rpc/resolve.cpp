#include <pm/rpc/resolve.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <pm/base/in_child.h>
#include <pm/base/sys.h>
#include <string.h>

namespace pm::onc {

namespace {

struct Found {
  int code;
  Endpoint endpoint;
};

Found look_up(char const *host, int family) noexcept {
  Found found = {ENXIO, Endpoint::none()};
  struct addrinfo wanted = {};
  wanted.ai_family = family;
  wanted.ai_socktype = SOCK_STREAM;
  struct addrinfo *all = nullptr;
  int const code = ::getaddrinfo(host, nullptr, &wanted, &all);
  if (code == EAI_AGAIN) found.code = EAGAIN;
  for (auto const *one = code ? nullptr : all; one; one = one->ai_next) {
    if (one->ai_addrlen > sizeof found.endpoint || (one->ai_family != AF_INET && one->ai_family != AF_INET6)) continue;
    memcpy(&found.endpoint, one->ai_addr, one->ai_addrlen);
    found.code = 0;
    break;
  }
  return found; // the process ends: nothing is freed
}

} // namespace

Result<Endpoint> resolve(char const *host, int family, Deadline deadline, int stop) noexcept {
  constexpr char const *doing = "find the host";
  for (int const one : {AF_INET, AF_INET6}) {
    auto endpoint = Endpoint::wildcard(one, 0);
    void *const into = one == AF_INET ? static_cast<void *>(&endpoint.v4.sin_addr) : &endpoint.v6.sin6_addr;
    if (::inet_pton(one, host, into) != 1) continue;
    if (family != AF_UNSPEC && family != one) return failed(doing, EAFNOSUPPORT);
    return endpoint;
  }
  // It has no deadline of its own.
  Found found = {ENXIO, Endpoint::none()};
  char bytes[sizeof found];
  auto const came = in_child(
      [&](int pipe) noexcept {
        Found const own = look_up(host, family);
        (void)!sys::write(pipe, &own, sizeof own);
      },
      bytes, doing, deadline, stop);
  if (!came) return fail(came);
  if (*came == sizeof found) memcpy(&found, bytes, sizeof found);
  if (found.code) return failed(doing, found.code);
  return found.endpoint;
}

} // namespace pm::onc
