#include "libpm/rpc/conversation.h"

#include <unistd.h>
#include <algorithm>
#include "libpm/net/connect.h"
#include "libpm/os/random.h"
#include "libpm/os/stream.h"

namespace pm::rpc {

namespace {

constexpr char const *doing = "ask";
/** The first and the longest pause before a datagram is sent again, in ms. */
constexpr uint32_t first_pause = 1000, last_pause = 16000;
/** The number of fragments of a reply is practically unlimited: reply_max limits its bytes. */
constexpr unsigned pieces_max = 1 << 20;

/** Connects from a reserved port if one is free: rpcbind accepts SET and UNSET over loopback only from such a port. */
Result<Fd> connect_from_reserved(SockAddr const &to, Limit limit) noexcept {
  for (uint16_t port = IPPORT_RESERVED - 1; port >= IPPORT_RESERVED / 2; --port) {
    auto const from = SockAddr::loopback(to.family(), port);
    auto made = connect_to(to, to.type(), &from, limit);
    if (made || (made.error().code != EADDRINUSE && made.error().code != EADDRNOTAVAIL)) return made;
  }
  return connect_to(to, to.type(), nullptr, limit);
}

Deadline nearer(Deadline a, Deadline b) noexcept {
  int const x = a.remaining(), y = b.remaining();
  return x < 0 || (y >= 0 && y < x) ? b : a;
}

} // namespace

Result<Conversation> Conversation::open_local(std::string_view path, Limit limit) noexcept {
  auto made = connect_local(path, limit);
  if (!made) return fail(made);
  return Conversation(static_cast<Fd &&>(*made), false, limit);
}

Result<Conversation> Conversation::open(Address const &to, bool strangers, Limit limit) noexcept {
  bool const datagrams = is_datagram(to.netid());
  auto const address = SockAddr::destination(to);
  if (datagrams && strangers) {
    Fd socket(sys::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return failed(doing);
    Conversation made(static_cast<Fd &&>(socket), datagrams, limit);
    made.to_ = address;
    return made;
  }
  bool const reserved = ::geteuid() == 0 && SockAddr::of(to).is_loopback();
  auto made = reserved ? connect_from_reserved(address, limit) : connect_to(address, address.type(), nullptr, limit);
  if (!made) return fail(made);
  return Conversation(static_cast<Fd &&>(*made), datagrams, limit);
}

Done Conversation::send(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (auto const ready = wait_for(socket_.get(), POLLOUT, limit_); !ready) return failed(doing, ready.error().code);
    struct iovec data = {const_cast<char *>(bytes.data()), bytes.size()};
    struct msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_name = to_.is_none() ? nullptr : const_cast<struct sockaddr *>(to_.get());
    message.msg_namelen = to_.size();
    ssize_t const n = sys::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return failed(doing, errno == EPIPE ? ECONNRESET : errno);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

/** Reads messages until one is the reply to the call, and returns its results. */
Called<std::string_view> Conversation::receive(uint32_t xid) noexcept {
  Records records(reply_max, pieces_max);
  Deadline until = limit_.deadline;
  Deadline again;
  uint32_t pause = first_pause;
  std::string_view const call(out_.begin(), out_.size());
  if (datagrams_) again = time_limit(pause);
  for (;;) {
    if (datagrams_) until = nearer(limit_.deadline, again);
    if (auto const ready = wait_for(socket_.get(), POLLIN, {until, limit_.stop}); !ready) {
      if (!datagrams_ || ready.error().code != ETIMEDOUT || limit_.deadline.remaining() == 0)
        return failed(doing, ready.error().code);
      pause = std::min(2 * pause, last_pause);
      again = time_limit(pause);
      if (auto const sent = send(call); !sent) return fail(sent);
      continue;
    }
    if (!in_.resize(datagrams_ ? datagram_max : size_t{16384})) return failed(doing, ENOMEM);
    ssize_t const n = sys::read(socket_.get(), in_.begin(), in_.size());
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return failed(doing);
    std::string_view bytes(in_.begin(), static_cast<size_t>(n));
    if (datagrams_) {
      if (auto const results = results_of(bytes, xid)) return *results;
      continue;
    }
    if (n == 0) return failed(doing, ECONNRESET);
    while (!bytes.empty()) {
      std::string_view record;
      auto const taken = records.next(bytes, record);
      if (taken == Records::Taken::need_more) break;
      if (taken != Records::Taken::record) return failed(doing, taken == Records::Taken::no_memory ? ENOMEM : EMSGSIZE);
      auto results = results_of(record, xid);
      if (!results) continue;
      if (!*results) return *results;
      // The results view `in_` or the buffer of `records`: copy them before both go.
      std::string_view const view = **results;
      List<char> kept;
      if (!append(kept, view)) return failed(doing, ENOMEM);
      in_ = static_cast<List<char> &&>(kept);
      return std::string_view(in_.begin(), in_.size());
    }
  }
}

Called<std::string_view> Conversation::call(uint32_t version, uint32_t procedure, std::string_view arguments) noexcept {
  auto const bits = random_bits();
  if (!bits) return fail(bits);
  auto const xid = static_cast<uint32_t>(*bits);
  out_.clear();
  RpcCall call;
  call.program = portmapper_program;
  call.version = version;
  call.procedure = procedure;
  if ((!datagrams_ && !append_mark(out_, 0, true)) || !xdr::Encoder(out_)(Envelope{xid, Direction::call}, call) ||
      !append(out_, arguments))
    return failed(doing, ENOMEM);
  if (!datagrams_) end_fragment(out_, 0, true);
  if (auto const sent = send({out_.begin(), out_.size()}); !sent) return fail(sent);
  return receive(xid);
}

} // namespace pm::rpc
