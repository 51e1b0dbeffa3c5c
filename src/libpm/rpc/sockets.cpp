#include "libpm/rpc/sockets.h"

#include <arpa/inet.h>
#include <algorithm>
#include <utility>
#include "libpm/net/listen.h"
#include "libpm/net/network.h"
#include "libpm/util/box.h"

namespace pm::rpc {

namespace {
/** SO_PASSRIGHTS, which older headers do not have: whether others may send descriptors. */
constexpr int so_passrights = 83;

/**
 * Accepted connections inherit it. Before Linux 6.16, and for IP sockets, it fails. Then the kernel closes the descriptors of a
 * message when the message is read.
 */
void refuse_descriptors(int socket) noexcept {
  int const no = 0;
  (void)sys::setsockopt(socket, SOL_SOCKET, so_passrights, &no, sizeof no);
}
} // namespace

Result<RpcSocket> bind_ip(Netid netid, SockAddr const &address) noexcept {
  SockAddr name = address;
  name.set_type(is_datagram(netid) ? SOCK_DGRAM : SOCK_STREAM);
  auto bound = bind_socket(name, {.backlog = longest_backlog, .destination = is_datagram(netid)});
  if (!bound) return fail(bound);
  RpcSocket socket;
  socket.fd = std::move(bound->fd);
  socket.netid = netid;
  socket.port = address.port();
  return socket;
}

Result<RpcSocket> bind_local(SockAddr const &name) noexcept {
  BindOptions how;
  how.mode = 0666;
  how.backlog = longest_backlog;
  auto bound = bind_socket(name, how);
  if (!bound) return fail(bound);
  refuse_descriptors(bound->fd.get());
  RpcSocket socket;
  socket.fd = std::move(bound->fd);
  socket.netid = Netid::local;
  socket.abstract = name.is_abstract();
  return socket;
}

RpcSockets::~RpcSockets() {
  for (RpcSocket *const socket : *this) Box<RpcSocket> const last(socket);
}

Done RpcSockets::keep(RpcSocket socket) noexcept {
  auto owned = make_box<RpcSocket>(static_cast<RpcSocket &&>(socket));
  if (!owned || !append(owned.get())) return failed("serve", ENOMEM);
  (void)owned.release();
  return {};
}

namespace {
Netid v4_of(Netid netid) noexcept {
  return is_datagram(netid) ? Netid::udp : Netid::tcp;
}
} // namespace

RpcSocket const *RpcSockets::find(Netid netid) const noexcept {
  RpcSocket const *found = nullptr;
  for (RpcSocket const *const socket : *this)
    if ((socket->netid == netid || (socket->both && v4_of(socket->netid) == netid)) &&
        (!found || (found->abstract && !socket->abstract)))
      found = socket;
  return found;
}

namespace {
/** Whether bind(2) failed because the host has no such family or address. */
bool is_absent(int code) noexcept {
  return code == EAFNOSUPPORT || code == EADDRNOTAVAIL;
}
} // namespace

Done bind_each(std::span<SockAddr const> named, uint16_t port, RpcSockets &sockets, Text<64> &where) noexcept {
  Done done;
  List<SockAddr> bound;
  /** Returns false if an address that must be bound could not be bound. */
  auto const bind_one = [&](SockAddr address, bool must_be) noexcept {
    if (std::any_of(bound.begin(), bound.end(), [&](SockAddr const &e) noexcept { return same_host(e, address); })) return true;
    if (!bound.append(address)) done = failed("serve", ENOMEM);
    address.set_port(port);
    bool const v6 = address.family() == AF_INET6;
    for (Netid const netid : {v6 ? Netid::tcp6 : Netid::tcp, v6 ? Netid::udp6 : Netid::udp}) {
      if (!done) return false;
      auto socket = bind_ip(netid, address);
      if (!socket && !must_be && is_absent(socket.error().code)) return true;
      if (!socket) {
        where << name(netid) << ':' << address.universal().view();
        done = fail(socket);
        return false;
      }
      done = sockets.keep(static_cast<RpcSocket &&>(*socket));
    }
    return done.has_value();
  };
  for (SockAddr const &address : named)
    if (!bind_one(address, true)) return done;
  for (int const family : {AF_INET6, AF_INET})
    if (!bind_one(named.empty() ? SockAddr::wildcard(family, 0) : SockAddr::loopback(family, 0), family == AF_INET)) break;
  return done;
}

Result<RpcSocket> adopt(Fd fd) noexcept {
  constexpr char const *doing = "take";
  auto const address = adopt_socket(fd.get(), doing);
  if (!address) return fail(address);
  if (address->is_local() && address->type() == SOCK_DGRAM) return failed(doing, EINVAL);
  // A relative path means something else to every other process.
  if (!address->address()) return failed(doing, EADDRNOTAVAIL);
  bool const v4 = address->unwrapped().family() == AF_INET;
  Netid const netid = v4 ? v4_of(address->netid()) : address->netid();
  RpcSocket socket;
  if (address->family() == AF_INET6 && address->is_wildcard()) {
    int only_v6 = 1;
    socklen_t size = sizeof only_v6;
    if (sys::getsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &only_v6, &size) < 0) return failed(doing);
    socket.both = !only_v6;
  }
  if (is_datagram(netid)) {
    if (!report_destination(fd.get(), address->family())) return failed(doing);
    // Of a broadcast, only the message of IPv4 has this host's own address.
    if (socket.both && !report_destination(fd.get(), AF_INET)) return failed(doing);
  }
  refuse_descriptors(fd.get());
  socket.fd = std::move(fd);
  socket.netid = netid;
  socket.port = address->port();
  socket.abstract = address->is_abstract();
  return socket;
}

void join_groups(RpcSocket &socket, Interfaces const &interfaces) noexcept {
  if (socket.netid != Netid::udp6) return;
  auto const change = [&](int option, uint32_t interface) noexcept {
    struct ipv6_mreq request = {};
    inet_pton(AF_INET6, "ff02::202", &request.ipv6mr_multiaddr);
    request.ipv6mr_interface = interface;
    return sys::setsockopt(socket.fd.get(), IPPROTO_IPV6, option, &request, sizeof request) == 0;
  };
  auto const is_there = [&](uint32_t interface) noexcept {
    return std::any_of(interfaces.all().begin(), interfaces.all().end(),
                       [=](Interfaces::Entry const &entry) noexcept { return entry.interface == interface; });
  };
  // The kernel keeps the membership, and its memory, on an interface that is gone.
  size_t kept = 0;
  for (uint32_t const interface : socket.joined)
    if (is_there(interface)) socket.joined[kept++] = interface;
    else (void)change(IPV6_DROP_MEMBERSHIP, interface);
  socket.joined.truncate(kept);
  for (auto const &entry : interfaces.all()) {
    bool const is_new = std::find(socket.joined.begin(), socket.joined.end(), entry.interface) == socket.joined.end();
    if (entry.address.family() != AF_INET6 || !entry.multicasts || !is_new) continue;
    // Without memory for the list, the socket leaves the group again, and joins it after the next change.
    if (change(IPV6_ADD_MEMBERSHIP, entry.interface) && !socket.joined.append(entry.interface))
      (void)change(IPV6_DROP_MEMBERSHIP, entry.interface);
  }
}

} // namespace pm::rpc
