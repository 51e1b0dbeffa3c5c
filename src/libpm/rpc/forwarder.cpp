#include <pm/rpc/forwarder.h>

#include <pm/base/random.h>
#include <algorithm>

namespace pm::onc {

namespace {
/** Answers taken at a time. */
constexpr unsigned at_once = 16;

void send_to(int fd, Endpoint const &to, List<char> const &bytes) noexcept {
  struct iovec data = {const_cast<char *>(bytes.begin()), bytes.size()};
  struct msghdr message = {};
  message.msg_name = const_cast<Endpoint *>(&to);
  message.msg_namelen = to.size();
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  // What cannot be sent is lost, as datagrams are.
  (void)sys::sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

bool same(Endpoint const &a, Endpoint const &b) noexcept {
  return same_host(a, b) && a.port() == b.port();
}
} // namespace

Done Forwarder::open(int family) noexcept {
  constexpr char const *doing = "make a socket to forward calls";
  fd_.reset(sys::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  Endpoint const any = Endpoint::wildcard(family, 0);
  int const yes = 1;
  if (!fd_.valid() || (family == AF_INET6 && sys::setsockopt(fd_.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes) < 0) ||
      sys::bind(fd_.get(), &any.any, any.size()) < 0)
    return failed(doing);
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

void Forwarder::pass(Caller const &caller) noexcept {
  auto const &wanted = portmapper_->forward();
  Pending *free = nullptr;
  for (Pending &pending : pending_) {
    if (pending.xid && pending.deadline.remaining() == 0) settle(pending, false);
    if (!pending.xid) free = &pending;
    else if (pending.caller_xid == wanted.xid && same(pending.caller, caller.peer)) return;
  }
  auto const bits = random_bits();
  if (!free || !bits) return;
  // Nobody else can know it, so nobody else can answer; and it says where in the table it is.
  uint32_t const xid = (static_cast<uint32_t>(*bits) & ~uint32_t{most - 1}) | static_cast<uint32_t>(free - pending_);
  if (!xid) return;
  List<char> out;
  Call call;
  call.program = wanted.call.program;
  call.version = wanted.call.version;
  call.procedure = wanted.call.procedure;
  call.credential = wanted.credential;
  // The arguments are XDR already: as they stand, without a length.
  if (!xdr::Encoder(out)(Envelope{xid, Direction::call}, call) || !append(out, wanted.call.arguments)) return;
  free->caller = caller.peer;
  free->reached = caller.reached;
  free->service = wanted.to;
  free->caller_xid = wanted.xid;
  free->version = wanted.version;
  free->procedure = wanted.procedure;
  free->program = call.program;
  free->program_version = call.version;
  free->called = call.procedure;
  free->transport = caller.transport;
  free->deadline = Deadline::in(patience);
  free->xid = xid;
  send_to(fd_.get(), wanted.to, out);
}

void Forwarder::send_back(Pending const &pending, std::string_view results) noexcept {
  List<char> out;
  if (!accepted(out, pending.caller_xid, Accept::success)) return;
  bool fits;
  if (pending.version == 2) {
    CallResult result;
    result.port = pending.service.port();
    result.results = results;
    fits = xdr::Encoder(out)(result);
  } else {
    Endpoint service = pending.service;
    // Where the service listens everywhere, as its caller reaches it.
    if (service.is_loopback()) {
      service = pending.reached;
      service.set_port(pending.service.port());
    }
    auto const text = universal(service);
    UniversalCallResult result;
    result.address = text.view();
    result.results = results;
    fits = xdr::Encoder(out)(result);
  }
  if (fits && out.size() <= datagram_max && meter_->allows(pending.caller, pending.reached, out.size()))
    send_to(fd_.get(), pending.caller, out);
}

void Forwarder::answer() noexcept {
  for (unsigned i = 0; i < at_once; ++i) {
    char bytes[call_max];
    Endpoint from = Endpoint::none();
    struct iovec room = {bytes, sizeof bytes};
    struct msghdr message = {};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    ssize_t const n = sys::recvmsg(fd_.get(), &message, MSG_DONTWAIT);
    if (n < 0) return;
    if (message.msg_flags & MSG_TRUNC) continue;
    std::string_view const came(bytes, static_cast<size_t>(n));
    xdr::Decoder decoder(came);
    Envelope envelope;
    Reply reply;
    if (!decoder(envelope) || envelope.direction != Direction::reply) continue;
    Pending &pending = pending_[envelope.xid % most];
    if (!envelope.xid || pending.xid != envelope.xid || !same(pending.service, from) || !read_reply(decoder, reply)) continue;
    bool const done = reply.fate == Reply::Fate::accepted && reply.status == Accept::success;
    if (done) {
      send_back(pending, decoder.rest());
    } else if (pending.procedure == procedure::indirect) {
      // It hears what became of it; the others only of a success.
      List<char> out;
      Accept const status = reply.fate == Reply::Fate::accepted ? reply.status : Accept::system_error;
      bool const fits = status == Accept::program_mismatch ? version_mismatch(out, pending.caller_xid, reply.low, reply.high)
                                                           : accepted(out, pending.caller_xid, status);
      if (fits) send_to(fd_.get(), pending.caller, out);
    }
    settle(pending, done);
  }
}

} // namespace pm::onc
