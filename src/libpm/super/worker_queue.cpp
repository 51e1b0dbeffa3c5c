#include <pm/base/children.h>
#include <pm/base/say.h>
#include <pm/super/worker_queue.h>
#include <string.h>
#include <algorithm>

namespace pm::super {

namespace {
constexpr char const *doing = "hand connections to";
}

Done WorkerQueue::make(LocalAddress const &worker, uint32_t most) noexcept {
  worker_ = worker;
  most_ = most;
  waiting_.reset(static_cast<Waiting *>(::calloc(most, sizeof(Waiting))));
  if (!waiting_) return failed("have memory for connections to", ENOMEM);
  return {};
}

Done WorkerQueue::lose() noexcept {
  disconnect();
  return failed(doing, ECONNRESET);
}

Done WorkerQueue::connect() noexcept {
  Fd made(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.valid()) return failed(doing);
  auto const &name = worker_.name();
  if (sys::connect(made.get(), reinterpret_cast<struct sockaddr const *>(&name.address), name.size) < 0) return failed(doing);
  socket_ = static_cast<Fd &&>(made);
  connection_.emplace(socket_.get(), socket_.get());
  anew_ = false;
  return {};
}

void WorkerQueue::disconnect() noexcept {
  connection_.reset();
  socket_.reset();
  stuck_ = false;
  // Whoever was not answered for was not taken.
  unsent_ = oldest_;
}

uint32_t WorkerQueue::add(Fd connection, std::span<char const *const> said) noexcept {
  offer_.identity.elements.clear();
  encoded_.clear();
  bool fits = true;
  for (char const *const variable : said)
    fits = offer_.identity.elements.append(xdr::String<fdpass::identity_max>(variable)) && fits;
  {
    Lent const lent(offer_.descriptor, connection.get());
    if (!fits || !message::encode(offer_, encoded_)) die_no_memory();
  }
  // Two paths, five numbers: what is said of a connection has its bound.
  if (encoded_.size() > message_max) bug("more is said of a connection than there is room for");
  auto &slot = at(end_);
  slot.fd = connection.release();
  slot.size = static_cast<uint32_t>(encoded_.size());
  memcpy(slot.message, encoded_.begin(), encoded_.size());
  return static_cast<uint32_t>(end_++ % most_) + 1;
}

Done WorkerQueue::send(Answered answered) noexcept {
  stuck_ = false;
  while (has_unsent() && is_connected()) {
    message::Encoded messages[together];
    size_t count = 0;
    for (uint64_t i = unsent_; i != end_ && count < together; ++i) messages[count++] = {{at(i).message, at(i).size}, at(i).fd};
    auto const sent = connection_->send_ready({messages, count});
    if (sent) {
      unsent_ += *sent;
      continue;
    }
    int const code = sent.error().code;
    if (code == EINTR) continue;
    stuck_ = code == EAGAIN;
    if (stuck_) return {};
    // As many descriptors are under way as one may have: it is no fault of the worker's, and poll cannot tell when it is over.
    if (code != ETOOMANYREFS && !is_exhaustion(code)) {
      // What it said before it closed is said.
      (void)receive(answered);
      disconnect();
    }
    return failed(doing, code);
  }
  return {};
}

Done WorkerQueue::receive(Answered answered) noexcept {
  for (bool more = true; more; more = connection_->has_more()) {
    auto const received = connection_->receive_ahead();
    if (!received && (received.error().code == EAGAIN || received.error().code == EINTR)) return {};
    if (!received || !*received) return lose();
    fdpass::Taken taken;
    fdpass::NotTaken refused;
    fdpass::NoRoom later;
    auto &answer = **received;
    bool const is_taken = answer.is(taken);
    if (answer.is(later)) {
      // The next to accept has room, unless it lies.
      anew_ = ++turned_away_ < turned_away_max;
      return lose();
    }
    // An answer to nothing, or none: whoever it is, it is no worker.
    if (oldest_ == unsent_ || (!is_taken && !answer.is(refused))) return lose();
    anew_ = true;
    turned_away_ = 0;
    Fd const connection(at(oldest_).fd);
    auto const ticket = static_cast<uint32_t>(oldest_++ % most_) + 1;
    answered(ticket, connection.get(), is_taken ? std::string_view() : std::string_view(refused.why));
  }
  return {};
}

} // namespace pm::super
