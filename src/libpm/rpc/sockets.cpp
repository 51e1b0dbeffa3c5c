#include <pm/rpc/sockets.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <pm/base/box.h>
#include <string.h>
#include <algorithm>

namespace pm::onc {

namespace {

constexpr int backlog = 128;

bool turn_on(int fd, int level, int option) noexcept {
  int const one = 1;
  return sys::setsockopt(fd, level, option, &one, sizeof one) == 0;
}

/** The address that a datagram came to is the one to answer from. */
bool tell_address(int fd, Netid netid) noexcept {
  if (netid == Netid::udp) return turn_on(fd, IPPROTO_IP, IP_PKTINFO);
  return netid != Netid::udp6 || turn_on(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO);
}

} // namespace

Result<Socket> bind_ip(Netid netid, Endpoint const &address) noexcept {
  constexpr char const *doing = "bind to";
  bool const datagrams = is_datagram(netid);
  Socket s;
  s.netid = netid;
  s.port = address.port();
  s.fd.reset(sys::socket(address.family(), (datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!s.fd.valid()) return failed(doing);
  int const fd = s.fd.get();
  // For a stream, that only lets it be bound again while old connections linger; for datagrams, it would let two share a port.
  if (!datagrams && !turn_on(fd, SOL_SOCKET, SO_REUSEADDR)) return failed(doing);
  if (is_v6(netid) && !turn_on(fd, IPPROTO_IPV6, IPV6_V6ONLY)) return failed(doing);
  if (!tell_address(fd, netid) || sys::bind(fd, &address.any, address.size()) < 0) return failed(doing);
  if (!datagrams && sys::listen(fd, backlog) < 0) return failed(doing);
  return s;
}

Sockets::~Sockets() {
  for (Socket *const socket : *this) Box<Socket> const last(socket);
}

Done Sockets::keep(Socket socket) noexcept {
  auto owned = make_box<Socket>(static_cast<Socket &&>(socket));
  if (!owned || !append(owned.get())) return failed("serve", ENOMEM);
  (void)owned.release();
  return {};
}

Socket const *Sockets::find(Netid netid) const noexcept {
  for (Socket const *const socket : *this)
    if (socket->netid == netid) return socket;
  return nullptr;
}

namespace {
/** Without IPv6, or without an address of this host's, there is nothing to bind. */
bool is_absent(int code) noexcept {
  return code == EAFNOSUPPORT || code == EADDRNOTAVAIL;
}
} // namespace

Done bind_each(std::span<Endpoint const> named, uint16_t port, Sockets &sockets, Text<64> &where) noexcept {
  Done done;
  List<Endpoint> bound;
  /** Whether it could be, or need not be. */
  auto const bind_one = [&](Endpoint address, bool must_be) noexcept {
    if (std::any_of(bound.begin(), bound.end(), [&](Endpoint const &e) noexcept { return same_host(e, address); })) return true;
    if (!bound.append(address)) done = failed("serve", ENOMEM);
    address.set_port(port);
    bool const v6 = address.family() == AF_INET6;
    for (Netid const netid : {v6 ? Netid::tcp6 : Netid::tcp, v6 ? Netid::udp6 : Netid::udp}) {
      if (!done) return false;
      auto socket = bind_ip(netid, address);
      if (!socket && !must_be && is_absent(socket.error().code)) return true;
      if (!socket) {
        where << name(netid) << ':' << universal(address).view();
        done = fail(socket);
        return false;
      }
      join_groups(*socket);
      done = sockets.keep(static_cast<Socket &&>(*socket));
    }
    return done.has_value();
  };
  for (Endpoint const &address : named)
    if (!bind_one(address, true)) return done;
  for (int const family : {AF_INET6, AF_INET})
    if (!bind_one(named.empty() ? Endpoint::wildcard(family, 0) : Endpoint::loopback(family, 0), family == AF_INET)) break;
  return done;
}

Result<Socket> adopt(Fd fd) noexcept {
  constexpr char const *doing = "take";
  auto const address = Address::of_socket(fd.get());
  if (!address) return fail(address);
  Socket s;
  s.fd = static_cast<Fd &&>(fd);
  s.netid = address->netid();
  s.port = address->port();
  int const number = s.fd.get();
  int listens = 0;
  socklen_t size = sizeof listens;
  if (sys::getsockopt(number, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0) return failed(doing);
  if (!listens && !is_datagram(s.netid)) return failed(doing, EINVAL);
  int const flags = sys::fcntl(number, F_GETFL);
  if (flags < 0 || sys::fcntl(number, F_SETFL, flags | O_NONBLOCK) < 0 || sys::fcntl(number, F_SETFD, FD_CLOEXEC) < 0 ||
      !tell_address(number, s.netid))
    return failed(doing);
  return s;
}

void join_groups(Socket const &socket) noexcept {
  if (socket.netid != Netid::udp6) return;
  struct ipv6_mreq request = {};
  inet_pton(AF_INET6, "ff02::202", &request.ipv6mr_multiaddr);
  struct ifaddrs *all;
  if (::getifaddrs(&all) < 0) return;
  for (auto const *i = all; i; i = i->ifa_next) {
    if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET6 || !(i->ifa_flags & IFF_MULTICAST)) continue;
    request.ipv6mr_interface = ::if_nametoindex(i->ifa_name);
    // Twice on one interface is an error, and as good.
    (void)sys::setsockopt(socket.fd.get(), IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &request, sizeof request);
  }
  ::freeifaddrs(all);
}

} // namespace pm::onc
