// pm::Connection: a message, in fragments where it is long, with copies of its descriptors while they have not gone.

#include <fcntl.h>
#include <pm/message/connection.h>
#include <string.h>
#include <algorithm>

namespace pm {

using message::ErrorMessage;
using message::header_size;
using message::Message;

/** Headers: over the room at the start, or between fragments. */
Status Connection::cut_up(uint32_t type) noexcept {
  size_t const most = packet_size_ - header_size, size = out_.size() - header_size;
  sent_ = 0;
  auto const header_at = [&](char *to, size_t payload, bool first, bool last) noexcept {
    uint32_t const words[] = {type, static_cast<uint32_t>(payload),
                              (first ? static_cast<uint32_t>(out_fds_.size()) : 0) | (last ? 0 : message::more_follows)};
    for (uint32_t const word : words)
      for (int shift = 24; shift >= 0; shift -= 8) *to++ = static_cast<char>(word >> shift);
  };
  if (size <= most) {
    header_at(out_.begin(), size, true, true);
    return Status::ok;
  }
  // From the end on, each fragment to where it will be: its header takes the place of what has moved.
  size_t const count = (size + most - 1) / most;
  if (!out_.resize(size + count * header_size)) {
    forget_sending();
    return Status::exhausted;
  }
  for (size_t i = count; i-- > 0;) {
    size_t const payload = std::min(most, size - i * most);
    char *const to = out_.begin() + i * packet_size_;
    memmove(to + header_size, out_.begin() + header_size + i * most, payload);
    header_at(to, payload, i == 0, i == count - 1);
  }
  return Status::ok;
}

Status Connection::start_sending(uint32_t type, Wait wait) noexcept {
  if (out_.size() - header_size > message_max || out_fds_.size() > message::descriptors_max) {
    forget_sending();
    return Status::too_long;
  }
  if (auto const cut = cut_up(type); cut != Status::ok) return cut;
  doing_ = Doing::sending;
  Message *none;
  auto const status = run(none, wait);
  if (doing_ != Doing::sending || sent_ > 0 || out_fds_.empty()) return status;
  // They have not gone yet, and their owner may close them.
  for (int &fd : out_fds_) {
    int const copy = sys::fcntl(fd, F_DUPFD_CLOEXEC);
    if (copy < 0) {
      auto const why = fail_with(errno);
      out_fds_.truncate(static_cast<size_t>(&fd - out_fds_.begin()));
      out_fds_owned_ = true;
      forget_sending();
      doing_ = Doing::nothing;
      return why;
    }
    fd = copy;
  }
  out_fds_owned_ = true;
  return status;
}

Status Connection::send_error(Status why, Wait wait) noexcept {
  if (state_ != State::established || doing_ != Doing::nothing) return Status::invalid_state;
  return send_value(ErrorMessage{why}, wait);
}

Status Connection::step_sending() noexcept {
  while (sent_ < out_.size()) {
    auto const sent =
        message::send_once(socket_.get(), {out_.begin() + sent_, out_.size() - sent_},
                           sent_ ? std::span<int const>() : std::span<int const>(out_fds_.begin(), out_fds_.size()));
    if (sent) {
      sent_ += *sent;
      continue;
    }
    int const code = sent.error().code;
    if (code == EINTR) continue;
    if (code == EAGAIN) return Status::pending;
    // Who refuses us has said why, and may have gone since.
    if (doing_ == Doing::greeting && (code == EPIPE || code == ECONNRESET)) break;
    bool const is_whole = sent_ == 0 && doing_ == Doing::sending && code != EPIPE && code != ECONNRESET;
    auto const status = fail_with(code);
    if (!is_whole) return lose(status == Status::lost ? status : Status::lost);
    forget_sending();
    doing_ = Doing::nothing;
    return status;
  }
  forget_sending();
  doing_ = doing_ == Doing::greeting ? Doing::awaiting_hello : Doing::nothing;
  return Status::ok;
}

} // namespace pm
