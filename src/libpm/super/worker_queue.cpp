#include "libpm/super/worker_queue.h"

#include <string.h>
#include "libpm/message/frames.h"
#include "libpm/os/children.h"

namespace pm::super {

namespace {
constexpr char const *doing = "hand connections to";
}

Done WorkerQueue::make(SockAddr const &worker, uint32_t most) noexcept {
  worker_ = worker;
  most_ = most;
  if (!ring_.make(most)) return failed("allocate memory for connections to", ENOMEM);
  return {};
}

Done WorkerQueue::lose() noexcept {
  disconnect();
  return failed(doing, ECONNRESET);
}

Result<std::optional<uid_t>> WorkerQueue::connect() noexcept {
  Fd made(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!made.valid()) return failed(doing);
  if (sys::connect(made.get(), worker_.get(), worker_.size()) < 0) return failed(doing);
  auto stranger = trusted_.stranger_at(made.get());
  if (!stranger || *stranger) return stranger;
  socket_ = std::move(made);
  connection_.emplace(socket_.get(), socket_.get(), handover::hand_over_protocol);
  anew_ = false;
  return std::nullopt;
}

void WorkerQueue::disconnect() noexcept {
  connection_.reset();
  socket_.reset();
  stuck_ = false;
  // The worker has not taken the connections without an answer: send them again.
  unsent_ = oldest_;
}

Done WorkerQueue::add(Fd &&connection, ClientNumber client, std::span<char const *const> variables) noexcept {
  handover::Offer offer;
  bool fits = true;
  for (char const *const variable : variables)
    fits = offer.identity.elements.append(xdr::String<handover::identity_max>(variable)) && fits;
  {
    Lent const lent(offer.descriptor, connection.get());
    auto const put = writer_.put(offer);
    // The variables have two paths and five numbers at most, which fit.
    if (!put && put.error().code == EMSGSIZE) bug("variables of a connection that are longer than their room");
    fits = fits && put;
  }
  if (!fits) return failed("allocate memory for connections to", ENOMEM);
  auto const frame = writer_.bytes();
  auto &slot = at(end_++);
  slot.fd = connection.release();
  slot.client = client;
  slot.size = static_cast<uint32_t>(frame.size());
  memcpy(slot.message, frame.data(), frame.size());
  return {};
}

Done WorkerQueue::send(Answered answered) noexcept {
  stuck_ = false;
  while (has_unsent() && is_connected()) {
    auto const &next = at(unsent_);
    // One sendmsg(2) for each connection. sendmmsg(2) with up to 16 was measured: it gained nothing with 1 or 8 clients.
    auto const sent = message::send_once(socket_.get(), {next.message, next.size}, {&next.fd, 1});
    if (sent) {
      ++unsent_;
      continue;
    }
    int const code = sent.error().code;
    if (code == EINTR) continue;
    stuck_ = code == EAGAIN;
    if (stuck_) return {};
    // Keep the worker if too many descriptors are in flight: it is not the cause. poll(2) does not report when there is room
    // again.
    if (code != ETOOMANYREFS && !is_exhaustion(code)) {
      // Read the answers that the worker sent before it closed. One call may leave some.
      for (auto before = oldest_; receive(answered) && oldest_ != before;) before = oldest_;
      disconnect();
    }
    return failed(doing, code);
  }
  return {};
}

Done WorkerQueue::receive(Answered answered) noexcept {
  for (bool more = true; more; more = connection_->has_more()) {
    auto const received = connection_->receive_now();
    if (!received && received.error().code == EAGAIN) return {};
    if (!received || !*received) return lose();
    message::Finished taken;
    message::Refused refused;
    auto &answer = **received;
    bool const is_taken = answer.is(taken), is_refused = answer.is(refused);
    if (is_refused && refused.status == Status::exhausted) {
      // Connect again: a worker with room accepts. The limit stops a worker that always says it has none.
      anew_ = ++turned_away_ < turned_away_max;
      return lose();
    }
    // A process that answers without an offer, or with another message, is not a worker.
    if (oldest_ == unsent_ || (!is_taken && !is_refused)) return lose();
    anew_ = true;
    turned_away_ = 0;
    auto const &oldest = at(oldest_++);
    Fd const connection(oldest.fd);
    answered(oldest.client, connection.get(), is_taken ? std::string_view() : refused.reason());
  }
  return {};
}

} // namespace pm::super
