// pm::Connection: what it is bound to, how it ends, and one operation after another step.

#include <pm/message/connection.h>

#include <pm/base/children.h>
#include <pm/base/stream.h>
#include <algorithm>
#include <utility>

namespace pm {

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
