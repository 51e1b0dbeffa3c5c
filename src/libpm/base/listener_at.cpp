#include <pm/base/listener_at.h>

#include <pm/base/sock_diag.h>
#include <string.h>

namespace pm {

namespace {

constexpr char const *doing = "see who listens at";
/** TCP_LISTEN of the kernel's net/tcp_states.h. */
constexpr unsigned listening = 10;

/** Only an address of this host can be bound to. */
Result<bool> is_of_this_host(SocketName name, socklen_t size) noexcept {
  (name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port) = 0;
  Fd const socket(sys::socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return failed(doing);
  if (sys::bind(socket.get(), &name.any, size) == 0) return true;
  if (errno != EADDRNOTAVAIL) return failed(doing);
  return false;
}

} // namespace

Result<std::optional<uid_t>> listener_at(Address const &address) noexcept {
  auto const destination = SocketAddress::destination(address);
  SocketName name = {};
  memcpy(&name, destination.name(), destination.size());
  auto const local = is_of_this_host(name, destination.size());
  if (!local) return fail(local);
  if (!*local) return std::nullopt;

  struct inet_diag_req_v2 request = {};
  request.sdiag_family = static_cast<uint8_t>(name.any.sa_family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = 1U << listening;
  // From nobody to there: what the kernel would give a new connection to, be it bound to a wildcard.
  if (name.any.sa_family == AF_INET6) {
    request.id.idiag_sport = name.v6.sin6_port;
    memcpy(request.id.idiag_src, &name.v6.sin6_addr, sizeof name.v6.sin6_addr);
  } else {
    request.id.idiag_sport = name.v4.sin_port;
    memcpy(request.id.idiag_src, &name.v4.sin_addr, sizeof name.v4.sin_addr);
  }
  auto const found = ask_sock_diag(request, doing);
  if (!found) return fail(found);
  if (found->idiag_state != listening) return failed(doing, ENOENT);
  return found->idiag_uid;
}

} // namespace pm
