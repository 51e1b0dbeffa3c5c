#include <pm/rpc/datagrams.h>

#include <string.h>

namespace pm::onc {

namespace {

/** The address that a datagram was sent to, and which may answer: a broadcast's is the interface's own. */
Endpoint reached_by(struct msghdr &message, Socket const &socket) noexcept {
  Endpoint reached = Endpoint::wildcard(is_v6(socket.netid) ? AF_INET6 : AF_INET, socket.port);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      auto *const info = reinterpret_cast<struct in_pktinfo *>(CMSG_DATA(c));
      reached.v4.sin_addr = info->ipi_spec_dst;
      // As it stands, it tells the kernel where to answer from; the way is its own to find.
      info->ipi_ifindex = 0;
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      auto *const info = reinterpret_cast<struct in6_pktinfo *>(CMSG_DATA(c));
      reached.v6.sin6_addr = info->ipi6_addr;
      reached.v6.sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr) ? info->ipi6_ifindex : 0;
      if (IN6_IS_ADDR_MULTICAST(&info->ipi6_addr)) memset(&info->ipi6_addr, 0, sizeof info->ipi6_addr);
      else if (!reached.v6.sin6_scope_id) info->ipi6_ifindex = 0;
    }
  }
  return reached;
}

} // namespace

Datagrams::Datagrams() noexcept {
  memset(headers_, 0, sizeof headers_);
}

/** For one to come into. */
void Datagrams::prepare(Slot &slot, struct msghdr &message) noexcept {
  slot.data = {slot.bytes, sizeof slot.bytes};
  message.msg_name = &slot.peer;
  message.msg_namelen = sizeof slot.peer;
  message.msg_iov = &slot.data;
  message.msg_iovlen = 1;
  message.msg_control = slot.control;
  message.msg_controllen = sizeof slot.control;
  message.msg_flags = 0;
}

unsigned Datagrams::receive(Socket const &socket) noexcept {
  for (unsigned i = 0; i < most; ++i) prepare(slots_[i], headers_[i].msg_hdr);
  int const n = sys::recvmmsg(socket.fd.get(), headers_, most, MSG_DONTWAIT);
  count_ = n < 0 ? 0 : static_cast<unsigned>(n);
  return count_;
}

bool Datagrams::answer_one(Socket const &socket, Slot &slot, unsigned size, Portmapper &portmapper, Meter &meter,
                           Forwarder *forwarder) noexcept {
  auto &message = headers_[&slot - slots_].msg_hdr;
  if (message.msg_flags & MSG_TRUNC) return false;
  Caller const caller = {socket.netid, slot.peer, reached_by(message, socket), -1, {}};
  slot.reply = replies_.size();
  auto const outcome = portmapper.answer({slot.bytes, size}, caller, replies_);
  bool sends = outcome == Outcome::reply || outcome == Outcome::bulky;
  if (outcome == Outcome::list) {
    auto cursor = portmapper.cursor();
    // One that does not fit a datagram has no other answer than none.
    sends = portmapper.list_more(cursor, slot.reply + datagram_max + 1, replies_) && !cursor.version;
  }
  if (outcome == Outcome::forward && forwarder) forwarder->pass(caller);
  slot.size = replies_.size() - slot.reply;
  sends = sends && slot.size <= datagram_max;
  if (sends && outcome != Outcome::reply) sends = meter.allows(slot.peer, caller.reached, slot.size);
  if (!sends) replies_.truncate(slot.reply);
  return sends;
}

void Datagrams::answer(Socket const &socket, Portmapper &portmapper, Meter &meter, Forwarder *forwarder) noexcept {
  // More answers than this wait for none of the others.
  constexpr size_t enough = 4 * datagram_max;
  unsigned ready = 0;
  unsigned first = 0;
  auto const send_ready = [&]() noexcept {
    send(socket, ready);
    replies_.clear();
    ready = 0;
  };
  for (; first < count_; ++first) {
    Slot &slot = slots_[first];
    if (!answer_one(socket, slot, headers_[first].msg_len, portmapper, meter, forwarder)) continue;
    // The header of its own call, or of one before it that is answered already or never will be.
    if (ready != first) headers_[ready].msg_hdr = headers_[first].msg_hdr;
    ++ready;
    if (replies_.size() > enough) {
      // Moving headers_ under the ones to come is safe: each is read before it is written over.
      send_ready();
    }
  }
  if (ready) send_ready();
  if (replies_.size() > enough / 4) replies_ = List<char>();
}

/** Sends the first `count`; one that cannot be sent is lost, as datagrams are. */
void Datagrams::send(Socket const &socket, unsigned count) noexcept {
  for (unsigned i = 0; i < count; ++i) {
    auto &message = headers_[i].msg_hdr;
    auto *const slot = reinterpret_cast<Slot *>(reinterpret_cast<char *>(message.msg_iov) - offsetof(Slot, data));
    slot->data = {replies_.begin() + slot->reply, slot->size};
    message.msg_flags = 0;
  }
  for (unsigned i = 0; i < count;) {
    int const n = sys::sendmmsg(socket.fd.get(), headers_ + i, count - i, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    i += n > 0 ? static_cast<unsigned>(n) : 1U;
  }
}

} // namespace pm::onc
