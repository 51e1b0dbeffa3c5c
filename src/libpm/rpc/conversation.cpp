#include <pm/rpc/conversation.h>

#include <pm/base/connect.h>
#include <pm/base/random.h>
#include <pm/base/stream.h>
#include <unistd.h>
#include <algorithm>

namespace pm::onc {

namespace {

constexpr char const *doing = "ask";
/** How long a datagram is waited for before it is sent again, at first and at last, in ms. */
constexpr uint32_t first_pause = 1000, last_pause = 16000;
/** Records may be of as many pieces as they like: their bytes are counted. */
constexpr unsigned pieces_max = 1 << 20;

/** From a port that says that this is root's, where there is one: a port mapper here may ask for it. */
Result<Fd> connect_from_reserved(SocketAddress const &to, Address const &address, Deadline deadline, int stop) noexcept {
  for (uint16_t port = IPPORT_RESERVED - 1; port >= IPPORT_RESERVED / 2; --port) {
    auto const text = Text<64>(name(address.netid())) << (to.family() == AF_INET6 ? ":[::1]:" : ":127.0.0.1:") << port;
    auto const from = SocketAddress::destination(*Address::parse(text.view()));
    auto made = connect_to(to, to.type(), &from, deadline, stop);
    if (made || (made.error().code != EADDRINUSE && made.error().code != EADDRNOTAVAIL)) return made;
  }
  return connect_to(to, to.type(), nullptr, deadline, stop);
}

Deadline nearer(Deadline a, Deadline b) noexcept {
  int const x = a.remaining(), y = b.remaining();
  return x < 0 || (y >= 0 && y < x) ? b : a;
}

} // namespace

Result<Conversation> Conversation::open_local(std::string_view path, Deadline deadline, int stop) noexcept {
  auto made = connect_local(path, deadline);
  if (!made) return fail(made);
  return Conversation(static_cast<Fd &&>(*made), false, deadline, stop);
}

Result<Conversation> Conversation::open(Address const &to, bool strangers, Deadline deadline, int stop) noexcept {
  bool const datagrams = is_datagram(to.netid());
  auto const address = SocketAddress::destination(to);
  if (datagrams && strangers) {
    Fd socket(sys::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket.valid()) return failed(doing);
    Conversation made(static_cast<Fd &&>(socket), datagrams, deadline, stop);
    memcpy(&made.to_, address.name(), address.size());
    made.to_size_ = address.size();
    return made;
  }
  auto const endpoint = endpoint_of(to);
  bool const reserved = ::geteuid() == 0 && endpoint && endpoint->is_loopback();
  auto made = reserved ? connect_from_reserved(address, to, deadline, stop)
                       : connect_to(address, address.type(), nullptr, deadline, stop);
  if (!made) return fail(made);
  return Conversation(static_cast<Fd &&>(*made), datagrams, deadline, stop);
}

Done Conversation::send(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    if (auto const ready = wait_for(socket_.get(), POLLOUT, deadline_, stop_); !ready) return failed(doing, ready.error().code);
    struct iovec data = {const_cast<char *>(bytes.data()), bytes.size()};
    struct msghdr message = {};
    message.msg_iov = &data;
    message.msg_iovlen = 1;
    message.msg_name = to_size_ ? &to_ : nullptr;
    message.msg_namelen = to_size_;
    ssize_t const n = sys::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) return failed(doing, errno == EPIPE ? ECONNRESET : errno);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

/** What comes until the next message that is a reply to the call; of a stream, all of it. */
Called<std::string_view> Conversation::receive(uint32_t xid) noexcept {
  Records records(reply_max, pieces_max);
  Deadline until = deadline_;
  Deadline again;
  uint32_t pause = first_pause;
  std::string_view const call(out_.begin(), out_.size());
  if (datagrams_) again = Deadline::in(pause);
  for (;;) {
    if (datagrams_) until = nearer(deadline_, again);
    if (auto const ready = wait_for(socket_.get(), POLLIN, until, stop_); !ready) {
      if (!datagrams_ || ready.error().code != ETIMEDOUT || deadline_.remaining() == 0) return failed(doing, ready.error().code);
      pause = std::min(2 * pause, last_pause);
      again = Deadline::in(pause);
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
      // Of one that came in pieces, the pieces are about to go.
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
  Call call;
  call.program = portmapper_program;
  call.version = version;
  call.procedure = procedure;
  if ((!datagrams_ && !append_mark(out_, 0, true)) || !xdr::Encoder(out_)(Envelope{xid, Direction::call}, call) ||
      !append(out_, arguments))
    return failed(doing, ENOMEM);
  if (!datagrams_) write_mark(out_.begin(), static_cast<uint32_t>(out_.size() - mark_size), true);
  if (auto const sent = send({out_.begin(), out_.size()}); !sent) return fail(sent);
  return receive(xid);
}

} // namespace pm::onc
