#include "libpm/rpc/datagrams.h"

#include <string.h>

namespace pm::rpc {

namespace {

/**
 * The address to which a call was sent. A call by IPv4 over a socket of IPv6 has both messages, that of IPv4 last. This changes the control data of `message` so that the answer has this source address. The
 * answer to a broadcast has the interface's own address, and the answer to a multicast has one that the kernel chooses.
 */
SockAddr reached_by(struct msghdr &message, RpcSocket const &socket) noexcept {
  SockAddr reached = SockAddr::wildcard(family_of(socket.netid), socket.port);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      auto *const info = reinterpret_cast<struct in_pktinfo *>(CMSG_DATA(c));
      reached = SockAddr::of_ip(AF_INET, &info->ipi_spec_dst, socket.port);
      // Without an interface, the message names only the source address; the kernel chooses the route.
      info->ipi_ifindex = 0;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      auto *const info = reinterpret_cast<struct in6_pktinfo *>(CMSG_DATA(c));
      reached = SockAddr::of_ip(AF_INET6, &info->ipi6_addr, socket.port);
      if (reached.is_link_local() || reached.is_multicast()) reached.set_scope(info->ipi6_ifindex);
      if (reached.is_multicast()) memset(&info->ipi6_addr, 0, sizeof info->ipi6_addr);
      else if (!reached.scope()) info->ipi6_ifindex = 0;
    }
  }
  return reached;
}

} // namespace

unsigned Datagrams::receive(RpcSocket const &socket) noexcept {
  for (unsigned i = 0; i < at_once; ++i) {
    Slot &slot = slots_[i];
    slot.data = {slot.call, sizeof slot.call};
    struct msghdr &message = received_[i].msg_hdr;
    message = {};
    message.msg_name = slot.peer.room();
    message.msg_namelen = SockAddr::room_size;
    message.msg_iov = &slot.data;
    message.msg_iovlen = 1;
    message.msg_control = slot.control;
    message.msg_controllen = sizeof slot.control;
  }
  int const n = sys::recvmmsg(socket.fd.get(), received_, at_once, MSG_DONTWAIT);
  return n < 0 ? 0 : static_cast<unsigned>(n);
}

/** Puts the answer to a call in its slot. False: no answer is to be sent. */
bool Datagrams::answer(Slot &slot, RpcSocket const &socket, struct mmsghdr &received,
                       std::span<Box<Forwarder>> forwarders) noexcept {
  if (received.msg_hdr.msg_flags & MSG_TRUNC) return false;
  slot.peer.set_size(received.msg_hdr.msg_namelen);
  CallOrigin const origin = ip_origin(socket.netid, slot.peer, reached_by(received.msg_hdr, socket));
  auto const outcome = portmapper_->answer({slot.call, received.msg_len}, origin, slot.reply);
  switch (outcome) {
    case Outcome::silent: return false;
    case Outcome::forward:
      if (auto const &forwarder = forwarders[is_v6(origin.transport)]) forwarder->pass(origin);
      return false;
    case Outcome::list: {
      // Drop a list that does not fit a datagram: the protocol has no reply for this case.
      auto cursor = portmapper_->cursor();
      if (!portmapper_->list_more(cursor, datagram_max + 1, slot.reply) || cursor.version) return false;
      break;
    }
    case Outcome::reply: break;
  }
  size_t const size = slot.reply.size();
  // A client gains nothing with a forged address if the answer is not longer than the call.
  return size <= datagram_max && (size <= received.msg_len || meter_->allows(origin.peer, origin.reached, size));
}

void Datagrams::serve(RpcSocket const &socket, std::span<Box<Forwarder>> forwarders) noexcept {
  unsigned const count = receive(socket);
  if (!count) return;
  // The answers include all registrations made before the calls. The changes are complete before the answers are sent.
  portmapper_->refresh();
  struct mmsghdr answers[at_once] = {};
  unsigned ready = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (!answer(slots_[i], socket, received_[i], forwarders)) continue;
    slots_[i].data = {slots_[i].reply.begin(), slots_[i].reply.size()};
    answers[ready++].msg_hdr = received_[i].msg_hdr;
  }
  portmapper_->settle();
  for (unsigned i = 0; i < ready;) {
    int const sent = sys::sendmmsg(socket.fd.get(), answers + i, ready - i, MSG_DONTWAIT | MSG_NOSIGNAL);
    // Skip an answer that cannot be sent: datagrams may be lost, and the client calls again.
    i += sent > 0 ? static_cast<unsigned>(sent) : 1U;
  }
  // Free the memory of a long list.
  constexpr size_t kept = 1024;
  for (unsigned i = 0; i < count; ++i)
    if (slots_[i].reply.size() > kept) slots_[i].reply = List<char>();
    else slots_[i].reply.clear();
}

} // namespace pm::rpc
