#include <pm/rpc/datagrams.h>

#include <netinet/udp.h>
#include <string.h>

namespace pm::onc {

namespace {

/** The longest answer that may be joined with others: less than any path's MTU, RFC 8200 section 5. */
constexpr size_t joined_size_max = 1024;

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
    // The kernel leaves what is behind it as it was; go_together() compares that, too.
    memset(reinterpret_cast<char *>(c) + c->cmsg_len, 0, CMSG_ALIGN(c->cmsg_len) - c->cmsg_len);
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
  Caller const caller = {socket.netid, slot.peer, reached_by(message, socket), -1, 0, 0, {}};
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
    portmapper.settle();
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
  send_ready();
  if (replies_.size() > enough / 4) replies_ = List<char>();
}

Datagrams::Slot &Datagrams::slot_of(struct msghdr const &message) noexcept {
  return *reinterpret_cast<Slot *>(reinterpret_cast<char *>(message.msg_iov) - offsetof(Slot, data));
}

/** Whether the answer `b`, which lies behind `a`, goes to the same peer, the same way, and is as long. */
bool Datagrams::go_together(struct msghdr const &a, struct msghdr const &b) noexcept {
  return a.msg_iov->iov_len == b.msg_iov->iov_len && a.msg_namelen == b.msg_namelen && a.msg_controllen == b.msg_controllen &&
         memcmp(a.msg_name, b.msg_name, a.msg_namelen) == 0 && memcmp(a.msg_control, b.msg_control, a.msg_controllen) == 0;
}

/**
 * Makes one message of those that follow each other to one peer and are as long as each other: the kernel cuts it into as many
 * datagrams again (UDP_SEGMENT, udp(7)), for a part of what each costs by itself. How many messages there are then.
 */
unsigned Datagrams::join(unsigned count) noexcept {
  unsigned joined = 0;
  for (unsigned i = 0; i < count; ++joined) {
    auto &first = headers_[i].msg_hdr;
    Slot &slot = slot_of(first);
    slot.run = 1;
    bool const may = joins_ && slot.size <= joined_size_max;
    while (may && i + slot.run < count && go_together(first, headers_[i + slot.run].msg_hdr)) ++slot.run;
    i += slot.run;
    if (slot.run > 1) {
      slot.data.iov_len *= slot.run;
      auto const size = static_cast<uint16_t>(slot.size);
      auto *const cut = reinterpret_cast<struct cmsghdr *>(slot.control + CMSG_ALIGN(first.msg_controllen));
      *cut = {CMSG_LEN(sizeof size), SOL_UDP, UDP_SEGMENT};
      memcpy(CMSG_DATA(cut), &size, sizeof size);
      first.msg_controllen = CMSG_ALIGN(first.msg_controllen) + CMSG_SPACE(sizeof size);
    }
    headers_[joined].msg_hdr = first;
  }
  return joined;
}

/** What was joined, one by one. */
void Datagrams::send_apart(Socket const &socket, struct msghdr &message) noexcept {
  Slot &slot = slot_of(message);
  message.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
  for (unsigned i = 0; i < slot.run; ++i) {
    slot.data = {replies_.begin() + slot.reply + i * slot.size, slot.size};
    (void)sys::sendmsg(socket.fd.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
}

/** Sends the first `count`; one that cannot be sent is lost, as datagrams are. */
void Datagrams::send(Socket const &socket, unsigned count) noexcept {
  for (unsigned i = 0; i < count; ++i) {
    auto &message = headers_[i].msg_hdr;
    Slot &slot = slot_of(message);
    slot.data = {replies_.begin() + slot.reply, slot.size};
    message.msg_flags = 0;
  }
  unsigned const joined = join(count);
  for (unsigned i = 0; i < joined;) {
    int const n = sys::sendmmsg(socket.fd.get(), headers_ + i, joined - i, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    auto &message = headers_[i].msg_hdr;
    if (n < 0 && slot_of(message).run > 1 && errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM) {
      // An old kernel, or an interface that leaves sums to us: never again.
      joins_ = false;
      send_apart(socket, message);
    }
    i += n > 0 ? static_cast<unsigned>(n) : 1U;
  }
}

} // namespace pm::onc
