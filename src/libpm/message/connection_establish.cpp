// pm::Connection: to a peer that both sides want, and how long a packet may be.

#include <pm/base/local_socket.h>
#include <pm/message/connection.h>
#include <algorithm>
#include <utility>

namespace pm {

using message::ErrorMessage;
using message::header_size;
using message::Hello;
using message::Message;

Status Connection::connect(Wait wait) noexcept {
  if (state_ != State::bound) return Status::invalid_state;
  if (socket_.valid()) return establish(wait);
  doing_ = Doing::connecting;
  state_ = State::establishing;
  Message *none;
  return run(none, wait);
}

Status Connection::accept(Wait wait) noexcept {
  if (state_ != State::bound || !socket_.valid()) return Status::invalid_state;
  return establish(wait);
}

Status Connection::establish(Wait wait) noexcept {
  state_ = State::establishing;
  if (auto const greeted = greet(); greeted != Status::ok) return greeted;
  Message *none;
  return run(none, wait);
}

/** The hook, then what is to be said first. */
Status Connection::greet() noexcept {
  if (hook_) {
    auto const who = peer();
    if (!who) {
      auto const status = fail_with(who.error().code);
      return lose(status);
    }
    if (!hook_(hook_data_, *who)) {
      message::Channel channel(socket_.get(), socket_.get());
      (void)!channel.send(ErrorMessage{Status::refused}, Deadline::passed());
      return lose(Status::refused);
    }
  }
  channel_.emplace(socket_.get(), socket_.get());
  // Nothing longer than the shortest packet may come before the size is agreed on.
  channel_->agree(packet_min - header_size);
  doing_ = Doing::greeting;
  Hello hello;
  hello.packet_size = wanted_size_;
  out_.clear();
  if (!out_.resize(header_size) || !xdr::Encoder(out_)(hello)) return lose(Status::exhausted);
  return cut_up(Hello::type);
}

Status Connection::step_connecting(Wait wait) noexcept {
  if (wait.blocks) {
    auto connected = connect_local_or_stop(endpoint_.view(), wait.deadline, wait.stop);
    if (connected) socket_ = std::move(*connected);
    else error_ = connected.error().code;
  } else {
    auto const name = LocalName::make(endpoint_.view());
    Fd made(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error_ = errno;
    if (made.valid()) {
      if (sys::connect(made.get(), reinterpret_cast<struct sockaddr const *>(&name->address), name->size) == 0)
        socket_ = std::move(made);
      else error_ = errno;
    }
  }
  if (socket_.valid()) return greet();
  if (error_ == EAGAIN) return Status::pending;
  auto const status = fail_with(error_);
  if (status == Status::timeout || status == Status::cancelled) return status;
  doing_ = Doing::nothing;
  state_ = State::bound;
  return status;
}

Status Connection::step_hello() noexcept {
  Message *frame = nullptr;
  if (auto const status = next_frame(frame); status != Status::ok) return status;
  Hello hello;
  ErrorMessage error;
  if (frame->more) return lose(Status::bad_frame);
  if (frame->type == ErrorMessage::type && frame->read(error)) {
    peer_status_ = error.status;
    return lose(Status::refused);
  }
  if (frame->type != Hello::type || !frame->read(hello) || hello.version != Hello::this_version || hello.packet_size < packet_min)
    return lose(Status::bad_frame);
  packet_size_ = std::min(wanted_size_, hello.packet_size);
  channel_->agree(packet_size_ - static_cast<uint32_t>(header_size));
  doing_ = Doing::nothing;
  state_ = State::established;
  return Status::ok;
}

} // namespace pm
