// pm::Connection: frames, and the messages they make.

#include <pm/message/connection.h>

namespace pm {

using message::ErrorMessage;
using message::Message;

Status Connection::receive(Message *&message, Wait wait) noexcept {
  if (state_ != State::established || (doing_ != Doing::nothing && doing_ != Doing::receiving)) return Status::invalid_state;
  doing_ = Doing::receiving;
  if (!assembling_) whole_message_.descriptors.clear();
  return run(message, wait);
}

/** A frame that is a good one; what is none ends the connection. */
Status Connection::next_frame(Message *&frame) noexcept {
  for (;;) {
    auto const received = channel_->receive_ahead();
    if (received && *received) {
      frame = *received;
      return Status::ok;
    }
    if (received) return lose(assembling_ || doing_ == Doing::awaiting_hello ? Status::lost : Status::closed);
    int const code = received.error().code;
    if (code == EINTR) continue;
    if (code == EAGAIN) return Status::pending;
    bool const cut_short = code == EPROTO && channel_->is_cut_short();
    auto const status = fail_with(code);
    return lose(cut_short ? Status::lost : status);
  }
}

Status Connection::take_fragment(Message &fragment, Message *&message) noexcept {
  if (!assembling_) {
    assembling_ = true;
    whole_.clear();
    whole_message_.type = fragment.type;
    fragment.descriptors.give(fragment.descriptors.size(), whole_message_.descriptors);
  } else if (fragment.type != whole_message_.type || fragment.descriptors.size()) {
    return lose(Status::bad_frame);
  }
  // An empty one could be sent for ever.
  if (fragment.payload.empty() || whole_.size() + fragment.payload.size() > message_max) return lose(Status::bad_frame);
  if (!append(whole_, fragment.payload)) return lose(Status::exhausted);
  if (fragment.more) return Status::pending;
  assembling_ = false;
  whole_message_.payload = {whole_.begin(), whole_.size()};
  message = &whole_message_;
  return Status::ok;
}

Status Connection::step_receiving(Message *&message) noexcept {
  do {
    Message *frame = nullptr;
    if (auto const status = next_frame(frame); status != Status::ok) return status;
    message = frame;
    if (!frame->more && !assembling_) break;
    auto const status = take_fragment(*frame, message);
    if (status != Status::ok && status != Status::pending) return status;
  } while (assembling_);
  doing_ = Doing::nothing;
  ErrorMessage error;
  if (message->type == ErrorMessage::type) {
    if (!message->read(error)) return Status::bad_message;
    peer_status_ = error.status;
    return Status::peer_error;
  }
  return protocol_->has(message->type) ? Status::ok : Status::unknown_message;
}

} // namespace pm
