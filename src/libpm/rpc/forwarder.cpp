#include "libpm/rpc/forwarder.h"

#include <string.h>
#include <algorithm>
#include <utility>
#include "libpm/net/listen.h"
#include "libpm/net/network.h"
#include "libpm/os/random.h"

namespace pm::rpc {

namespace {
/** Answers read at a time. */
constexpr unsigned at_once = 16;

/** Room for the control message that names a source address. */
struct SourceRoom {
  alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

/** Makes `message` have the host of `from` as its source address: ip(7), ipv6(7). `room` must last as long. */
void set_source(struct msghdr &message, SourceRoom &room, SockAddr const &from) noexcept {
  bool const v6 = from.family() == AF_INET6;
  struct in6_pktinfo info6 = {};
  struct in_pktinfo info4 = {};
  if (v6) {
    memcpy(&info6.ipi6_addr, from.host_bytes().data(), sizeof info6.ipi6_addr);
    info6.ipi6_ifindex = from.scope();
  } else {
    memcpy(&info4.ipi_spec_dst, from.host_bytes().data(), sizeof info4.ipi_spec_dst);
  }
  size_t const size = v6 ? sizeof info6 : sizeof info4;
  room = {};
  message.msg_control = room.bytes;
  message.msg_controllen = CMSG_SPACE(size);
  struct cmsghdr *const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
  header->cmsg_type = v6 ? IPV6_PKTINFO : IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(size);
  memcpy(CMSG_DATA(header), v6 ? static_cast<void const *>(&info6) : &info4, size);
}

/** Sends a datagram, with the host of `from` as its source address, unless that is a wildcard. */
void send_to(int fd, SockAddr const &to, List<char> const &bytes, SockAddr const &from) noexcept {
  struct iovec data = {const_cast<char *>(bytes.begin()), bytes.size()};
  struct msghdr message = {};
  message.msg_name = const_cast<struct sockaddr *>(to.get());
  message.msg_namelen = to.size();
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  SourceRoom room;
  if (!from.is_wildcard()) set_source(message, room, from);
  // Ignore a failure: datagrams may be lost, and the client calls again.
  (void)sys::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool same(SockAddr const &a, SockAddr const &b) noexcept {
  return same_host(a, b) && a.port() == b.port();
}
} // namespace

Done Forwarder::open(int family) noexcept {
  constexpr char const *doing = "make a socket to forward calls";
  auto any = SockAddr::wildcard(family);
  any.set_type(SOCK_DGRAM);
  auto bound = bind_socket(any, {});
  if (!bound) return failed(doing, bound.error().code);
  fd_ = std::move(bound->fd);
  return {};
}

void Forwarder::settle(Pending &pending, bool done) noexcept {
  CallArguments call;
  call.program = pending.program;
  call.version = pending.program_version;
  call.procedure = pending.called;
  portmapper_->statistics().forwarded(pending.version, call, pending.transport, done, pending.procedure == procedure::indirect);
  pending.xid = 0;
}

/** Gives up a call of the full table: the oldest one of the client, as limits count clients, that has most of them. */
Forwarder::Pending &Forwarder::make_room() noexcept {
  Pending *oldest = nullptr;
  size_t longest = 0;
  for (Pending &pending : pending_) {
    auto const share =
        static_cast<size_t>(std::count_if(std::begin(pending_), std::end(pending_), [&](Pending const &other) noexcept {
          return is_same_network(pending.client, other.client);
        }));
    if (share < longest || (share == longest && pending.number > oldest->number)) continue;
    longest = share;
    oldest = &pending;
  }
  settle(*oldest, false);
  return *oldest;
}

void Forwarder::pass(CallOrigin const &origin) noexcept {
  auto const &wanted = portmapper_->forward();
  Pending *free = nullptr;
  for (Pending &pending : pending_) {
    if (pending.xid && pending.deadline.remaining() == 0) settle(pending, false);
    if (!pending.xid) free = &pending;
    else if (pending.client_xid == wanted.xid && same(pending.client, origin.peer)) return;
  }
  auto const bits = random_bits();
  if (!bits) return;
  if (!free) free = &make_room();
  // The upper bits are random, so that only the called program can answer. The lower bits are the place in the table.
  uint32_t const xid = (static_cast<uint32_t>(*bits) & ~uint32_t{most - 1}) | static_cast<uint32_t>(free - pending_);
  if (!xid) return;
  List<char> out;
  RpcCall call;
  call.program = wanted.call.program;
  call.version = wanted.call.version;
  call.procedure = wanted.call.procedure;
  call.credential = wanted.credential;
  // Append the arguments as they are: they are already XDR, and have no length here.
  if (!xdr::Encoder(out)(Envelope{xid, Direction::call}, call) || !append(out, wanted.call.arguments)) return;
  free->client = origin.peer;
  free->source = portmapper_->called_address(origin);
  free->shown = portmapper_->host_for(origin);
  free->service = wanted.to;
  free->client_xid = wanted.xid;
  free->version = wanted.version;
  free->procedure = wanted.procedure;
  free->program = call.program;
  free->program_version = call.version;
  free->called = call.procedure;
  free->transport = origin.transport;
  free->deadline = time_limit(patience);
  free->number = ++last_number_;
  free->xid = xid;
  send_to(fd_.get(), wanted.to, out, SockAddr::wildcard(wanted.to.family()));
}

void Forwarder::send_back(Pending const &pending, std::string_view results) noexcept {
  List<char> out;
  if (!accepted(out, pending.client_xid, Accept::success)) return;
  bool fits;
  if (pending.version == 2) {
    CallResult result;
    result.port = pending.service.port();
    result.results = results;
    fits = xdr::Encoder(out)(result);
  } else {
    SockAddr service = pending.service;
    // A service that listens on all addresses was called over loopback: give the client the address that it can reach.
    if (service.is_loopback()) {
      service = pending.shown;
      service.set_port(pending.service.port());
    }
    auto const text = service.universal();
    UniversalCallResult result;
    result.address = text.view();
    result.results = results;
    fits = xdr::Encoder(out)(result);
  }
  if (fits && out.size() <= datagram_max && meter_->allows(pending.client, pending.source, out.size()))
    send_to(fd_.get(), pending.client, out, pending.source);
}

void Forwarder::answer() noexcept {
  for (unsigned i = 0; i < at_once; ++i) {
    char bytes[call_max];
    SockAddr from;
    struct iovec room = {bytes, sizeof bytes};
    struct msghdr message = {};
    message.msg_name = from.room();
    message.msg_namelen = SockAddr::room_size;
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    ssize_t const n = sys::recvmsg(fd_.get(), &message, MSG_DONTWAIT);
    if (n < 0) return;
    if (message.msg_flags & MSG_TRUNC) continue;
    std::string_view const came(bytes, static_cast<size_t>(n));
    auto decoder = decoder_of(came);
    Envelope envelope;
    RpcReply reply;
    if (!decoder(envelope) || envelope.direction != Direction::reply) continue;
    Pending &pending = pending_[envelope.xid % most];
    if (!envelope.xid || pending.xid != envelope.xid || !same(pending.service, from) || !read_reply(decoder, reply)) continue;
    bool const done = reply.fate == RpcReply::Fate::accepted && reply.status == Accept::success;
    if (done) {
      send_back(pending, decoder.rest());
    } else if (pending.procedure == procedure::indirect) {
      // INDIRECT reports a failure to the client; the other procedures report only success.
      List<char> out;
      Accept const status = reply.fate == RpcReply::Fate::accepted ? reply.status : Accept::system_error;
      bool const fits = status == Accept::program_mismatch ? version_mismatch(out, pending.client_xid, reply.low, reply.high)
                                                           : accepted(out, pending.client_xid, status);
      if (fits) send_to(fd_.get(), pending.client, out, pending.source);
    }
    settle(pending, done);
  }
}

} // namespace pm::rpc
