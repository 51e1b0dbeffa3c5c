#include <pm/message/connection.h>

#include <fcntl.h>
#include <pm/base/children.h>
#include <pm/base/stream.h>
#include <string.h>
#include <algorithm>
#include <utility>

namespace pm {

using message::ErrorMessage;
using message::Header;
using message::header_size;
using message::Hello;
using message::Message;

bool Protocol::has(uint32_t type) const noexcept {
  return std::find(types_.begin(), types_.end(), type) != types_.end();
}

Connection::~Connection() {
  close();
}

void Connection::forget_sending() noexcept {
  if (out_fds_owned_)
    for (int const fd : out_fds_) Fd(fd).reset();
  out_fds_owned_ = false;
  out_fds_.clear();
  out_.clear();
  sent_ = 0;
}

void Connection::close() noexcept {
  forget_sending();
  channel_.reset();
  socket_.reset();
  whole_message_.descriptors.clear();
  assembling_ = false;
  doing_ = Doing::nothing;
  state_ = State::closed;
}

void Connection::reset() noexcept {
  close();
  packet_size_ = wanted_size_;
  peer_status_ = Status::ok;
  error_ = 0;
  state_ = endpoint_.size() ? State::bound : State::unbound;
}

Status Connection::lose(Status why) noexcept {
  close();
  return why;
}

Status Connection::fail_with(int code) noexcept {
  error_ = code;
  switch (code) {
    case ENOENT:
    case ENOTDIR:
    case ECONNREFUSED: return Status::no_endpoint;
    case EACCES:
    case EPERM: return Status::denied;
    case EPROTOTYPE:
    case ENAMETOOLONG: return Status::invalid_parameter;
    case EPIPE:
    case ECONNRESET: return Status::lost;
    case EPROTO: return Status::bad_frame;
    case EMSGSIZE: return Status::bad_frame;
    case ETIMEDOUT: return Status::timeout;
    case ECANCELED: return Status::cancelled;
    case ETOOMANYREFS: return Status::exhausted;
    default: return is_exhaustion(code) ? Status::exhausted : Status::system;
  }
}

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
  SocketName own = {}, peer = {};
  socklen_t own_size = sizeof own, peer_size = sizeof peer;
  // Only what is connected has a peer's name, and it is AF_UNIX, even where it is empty.
  if (mode == Mode::none || sys::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM ||
      sys::getsockname(fd.get(), &own.any, &own_size) < 0 || sys::getpeername(fd.get(), &peer.any, &peer_size) < 0 ||
      own.any.sa_family != AF_UNIX)
    return Status::invalid_parameter;
  bool const is_named = own_size > sizeof(sa_family_t) || peer_size > sizeof(sa_family_t);
  if (mode == Mode::pair && is_named) return Status::invalid_parameter;
  socket_ = std::move(fd);
  endpoint_.clear();
  state_ = State::bound;
  return Status::ok;
}

Status Connection::set_endpoint(Mode mode, std::string_view path) noexcept {
  if (state_ != State::unbound) return Status::invalid_state;
  if (mode != Mode::local || !LocalName::make(path)) return Status::invalid_parameter;
  endpoint_.clear();
  endpoint_ << path;
  state_ = State::bound;
  return Status::ok;
}

void Connection::set_hook(Hook hook, void *data) noexcept {
  hook_ = hook;
  hook_data_ = data;
}

Result<PeerIdentity> Connection::peer() const noexcept {
  if (!socket_.valid()) return failed("know the peer of", ENOTCONN);
  auto who = peer_of(socket_.get());
  if (!who) return fail(who);
  return PeerIdentity{who->uid, who->gid, who->pid > 0 ? who->pid : -1, std::move(who->groups), peer_process(socket_.get())};
}

// --- establishing

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
    auto connected = connect_local(endpoint_.view(), wait.deadline);
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
  if (status == Status::timeout) return status;
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

// --- sending

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

// --- receiving

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

// --- one operation after another step

Status Connection::step(Message *&message, Wait wait) noexcept {
  switch (doing_) {
    case Doing::connecting: return step_connecting(wait);
    case Doing::greeting:
    case Doing::sending: return step_sending();
    case Doing::awaiting_hello: return step_hello();
    case Doing::receiving: return step_receiving(message);
    case Doing::nothing: break;
  }
  return Status::invalid_state;
}

Status Connection::run(Message *&message, Wait wait) noexcept {
  for (;;) {
    auto const status = step(message, wait);
    if (status == Status::ok && doing_ != Doing::nothing) continue;
    if (status != Status::pending || !wait.blocks) return status;
    auto const ready = wait_for(socket_.get(), events(), wait.deadline, wait.stop);
    if (!ready) return fail_with(ready.error().code);
  }
}

Status Connection::finish(Message *&message, Wait wait) noexcept {
  if (doing_ == Doing::nothing) return Status::invalid_state;
  return run(message, wait);
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

} // namespace pm
