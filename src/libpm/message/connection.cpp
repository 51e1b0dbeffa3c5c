#include "libpm/message/connection.h"

#include <algorithm>
#include "libpm/message/status.h"
#include "libpm/net/connect.h"
#include "libpm/net/peer.h"
#include "libpm/os/stream.h"
#include "libpm/os/sys.h"
#include "libpm/util/box.h"

namespace pm {

namespace message {
void EndChannel::operator()(Channel *channel) const noexcept {
  Box<Channel>(channel).reset();
}
} // namespace message

using message::Channel, message::error_of, message::Hello, message::Message, message::Refused;

void Connection::close() noexcept {
  channel_.reset();
  refusal_.text = {};
  socket_.reset();
  doing_ = Doing::nothing;
  state_ = State::closed;
}

void Connection::reset() noexcept {
  close();
  packet_size_ = wanted_size_;
  refusal_ = {};
  error_ = 0;
  state_ = endpoint_.size() ? State::bound : State::unbound;
}

Status Connection::lose(Status why) noexcept {
  close();
  return why;
}

Status Connection::fail_with(int code) noexcept {
  error_ = code;
  return message::status_of(code);
}

// --- Binding

Status Connection::set_packet_size(uint32_t size) noexcept {
  if (state_ != State::unbound) return Status::invalid_state;
  if (size < packet_min || size > packet_max) return Status::invalid_parameter;
  wanted_size_ = packet_size_ = size;
  return Status::ok;
}

Status Connection::set_fd(Mode mode, Fd &&fd) noexcept {
  if (state_ != State::unbound) return Status::invalid_state;
  int type = 0;
  socklen_t size = sizeof type;
  if (mode == Mode::none || sys::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM)
    return Status::invalid_parameter;
  // Only a connected socket has a peer's address. Its family is AF_UNIX even if the name is empty.
  auto const own = SockAddr::of_socket(fd.get()), peer = SockAddr::of_peer(fd.get());
  if (!own || !peer || !own->is_local()) return Status::invalid_parameter;
  bool const is_named = own->size() > sizeof(sa_family_t) || peer->size() > sizeof(sa_family_t);
  if (mode == Mode::pair && is_named) return Status::invalid_parameter;
  socket_ = std::move(fd);
  endpoint_.clear();
  state_ = State::bound;
  return Status::ok;
}

Status Connection::set_endpoint(Mode mode, std::string_view path) noexcept {
  if (state_ != State::unbound) return Status::invalid_state;
  if (mode != Mode::local || !SockAddr::of_path(path)) return Status::invalid_parameter;
  endpoint_.clear();
  if (!append(endpoint_, path)) return Status::exhausted;
  state_ = State::bound;
  return Status::ok;
}

Outcome<PeerIdentity> Connection::peer() const noexcept {
  constexpr char const *doing = "get the peer of a connection";
  if (!socket_.valid()) return tl::unexpected<Error>(error_of(SysError{ENOTCONN, doing}));
  auto peer = peer_of(socket_.get());
  if (!peer) return tl::unexpected<Error>(error_of(SysError{peer.error().code, doing}));
  return PeerIdentity{peer->uid, peer->gid, peer->pid > 0 ? peer->pid : -1, std::move(peer->groups), peer_process(socket_.get())};
}

Error Connection::failure(Status status) const noexcept {
  auto const text = status == Status::system ? std::string_view(strerror(error_))
                    : status == Status::peer_error || (status == Status::refused && !refusal_.text.empty()) ? refusal_.reason()
                                                                                                            : describe(status);
  Error error = error_of(status, text);
  error.code = error_;
  return error;
}

// --- One operation, step by step

Status Connection::step(Message *&message, Limit limit) noexcept {
  switch (doing_) {
    case Doing::connecting: return step_connecting(limit);
    case Doing::greeting:
    case Doing::sending: return step_sending();
    case Doing::awaiting_hello: return step_hello();
    case Doing::receiving: return step_receiving(message);
    case Doing::nothing: break;
  }
  return Status::invalid_state;
}

// Flatten: see FrameReader::next().
[[gnu::flatten]] Status Connection::run(Message *&message, Limit limit) noexcept {
  for (;;) {
    auto const status = step(message, limit);
    if (status == Status::ok && doing_ != Doing::nothing) continue;
    if (status != Status::pending || limit.is_now()) return status;
    auto const ready = wait_for(socket_.get(), events(), limit);
    if (!ready) return fail_with(ready.error().code);
  }
}

Status Connection::finish(Message *&message, Limit limit) noexcept {
  return doing_ == Doing::nothing ? Status::invalid_state : run(message, limit);
}

bool Connection::has_more() const noexcept {
  return channel_ && channel_->has_more();
}

short Connection::events() const noexcept {
  switch (doing_) {
    case Doing::greeting:
    case Doing::sending: return POLLOUT;
    case Doing::awaiting_hello:
    case Doing::receiving: return POLLIN;
    default: return 0;
  }
}

// --- Establishing

Status Connection::connect(Limit limit) noexcept {
  if (state_ != State::bound) return Status::invalid_state;
  if (socket_.valid()) return establish(limit);
  doing_ = Doing::connecting;
  state_ = State::establishing;
  Message *none = nullptr;
  return run(none, limit);
}

Status Connection::accept(Limit limit) noexcept {
  if (state_ != State::bound || !socket_.valid()) return Status::invalid_state;
  return establish(limit);
}

Status Connection::establish(Limit limit) noexcept {
  state_ = State::establishing;
  if (auto const greeted = greet(); greeted != Status::ok) return greeted;
  Message *none = nullptr;
  return run(none, limit);
}

/** Calls the hook, then prepares the hello. */
Status Connection::greet() noexcept {
  if (hook_) {
    auto const identity = peer();
    if (!identity) return lose(fail_with(identity.error().code));
    if (!hook_(hook_data_, *identity)) {
      (void)!Channel(socket_.get(), socket_.get(), *protocol_).send(Refused(), Limit::now());
      return lose(Status::refused);
    }
  }
  // Before the two sides agree on a size, a packet has at most packet_min bytes: each side can receive that.
  channel_.reset(make_box<Channel>(socket_.get(), socket_.get(), *protocol_, packet_min).release());
  if (!channel_ || !channel_->writer().put(Hello{Hello::this_version, wanted_size_})) return lose(Status::exhausted);
  doing_ = Doing::greeting;
  return Status::ok;
}

Status Connection::step_connecting(Limit limit) noexcept {
  int code = 0;
  if (limit.is_now()) {
    auto const name = SockAddr::of_path({endpoint_.begin(), endpoint_.size()});
    socket_.reset(sys::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!name || !socket_.valid() || sys::connect(socket_.get(), name->get(), name->size()) < 0) code = errno;
  } else {
    auto connected = connect_local({endpoint_.begin(), endpoint_.size()}, limit);
    if (connected) socket_ = std::move(*connected);
    else code = connected.error().code;
  }
  if (code == 0) return greet();
  socket_.reset();
  auto const status = fail_with(code);
  if (status == Status::pending || status == Status::timeout || status == Status::cancelled) return status;
  doing_ = Doing::nothing;
  state_ = State::bound;
  return status;
}

Status Connection::step_hello() noexcept {
  Message *message = nullptr;
  auto const status = next(message);
  if (status == Status::closed) return Status::lost;
  if (status != Status::ok) return status;
  Hello hello;
  if (message->is(refusal_)) return lose(Status::refused);
  if (!message->is(hello) || hello.version != Hello::this_version || hello.packet_size < packet_min)
    return lose(Status::bad_frame);
  packet_size_ = std::min(wanted_size_, hello.packet_size);
  channel_->allow_fragments(packet_size_);
  doing_ = Doing::nothing;
  state_ = State::established;
  return Status::ok;
}

// --- Sending and receiving

tl::expected<xdr::Encoder, Status> Connection::begin_sending(uint32_t type) noexcept {
  if (type != Refused::type && !protocol_->has(type)) return tl::unexpected<Status>(Status::invalid_parameter);
  if (state_ != State::established || doing_ != Doing::nothing) return tl::unexpected<Status>(Status::invalid_state);
  auto encoder = channel_->writer().begin();
  if (!encoder) return tl::unexpected<Status>(Status::exhausted);
  return *encoder;
}

Status Connection::finish_sending(uint32_t type, bool encoded, Limit limit) noexcept {
  if (auto const finished = channel_->writer().finish(type, encoded); !finished)
    return finished.error().code == EMSGSIZE ? Status::too_long : Status::exhausted;
  doing_ = Doing::sending;
  Message *none = nullptr;
  auto const status = run(none, limit);
  if (doing_ != Doing::sending) return status;
  if (auto const copied = channel_->writer().copy_descriptors(); !copied) {
    doing_ = Doing::nothing;
    return fail_with(copied.error().code);
  }
  return status;
}

Status Connection::step_sending() noexcept {
  auto const sent = channel_->send_now();
  int const code = sent ? 0 : sent.error().code;
  if (code == EAGAIN) return Status::pending;
  bool const greets = doing_ == Doing::greeting, is_gone = code == EPIPE || code == ECONNRESET;
  // A peer that refuses this side has sent an error, and may have closed since. That error can still be read.
  if (code == 0 || (greets && is_gone)) {
    channel_->writer().clear();
    doing_ = greets ? Doing::awaiting_hello : Doing::nothing;
    return Status::ok;
  }
  auto const status = fail_with(code);
  if (greets || is_gone || channel_->writer().has_begun()) return lose(Status::lost);
  channel_->writer().clear();
  doing_ = Doing::nothing;
  return status;
}

Status Connection::receive(Message *&message, Limit limit) noexcept {
  if (state_ != State::established || (doing_ != Doing::nothing && doing_ != Doing::receiving)) return Status::invalid_state;
  doing_ = Doing::receiving;
  return run(message, limit);
}

/** Receives a message. An error of framing ends the connection. */
Status Connection::next(Message *&message) noexcept {
  auto const received = channel_->receive_now();
  if (!received) {
    auto const status = fail_with(received.error().code);
    return status == Status::pending ? status : lose(status);
  }
  if (!*received) return lose(Status::closed);
  message = *received;
  return Status::ok;
}

Status Connection::step_receiving(Message *&message) noexcept {
  if (auto const status = next(message); status != Status::ok) return status;
  doing_ = Doing::nothing;
  if (message->type == Refused::type) return message->read(refusal_) ? Status::peer_error : Status::bad_message;
  return protocol_->has(message->type) ? Status::ok : Status::unknown_message;
}

} // namespace pm
