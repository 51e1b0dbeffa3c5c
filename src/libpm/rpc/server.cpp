#include <pm/rpc/server.h>

#include <netinet/tcp.h>
#include <pm/base/say.h>
#include <string.h>
#include <utility>

namespace pm::onc {

namespace {
/** How long a listener rests when nothing can be accepted, ms. */
constexpr uint32_t rest = 1000;
} // namespace

Server::~Server() {
  while (!streams_.empty()) close(*streams_[0]);
}

Done Server::watch(int fd, uint32_t events, Kind kind, void *what) noexcept {
  auto const place = static_cast<size_t>(fd);
  while (places_.size() <= place)
    if (!places_.append({Kind::none, nullptr})) return failed("serve", ENOMEM);
  if (auto const added = epoll_->add(fd, events); !added) return added;
  places_[place] = {kind, what};
  return {};
}

Done Server::open(int stop) noexcept {
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  epoll_.emplace(std::move(*epoll));
  datagrams_ = make_box<Datagrams>();
  if (!datagrams_) return failed("serve", ENOMEM);
  if (auto const watched = watch(stop, EPOLLIN, Kind::stop, nullptr); !watched) return watched;
  if (portmapper_->policy().forwards) {
    if (auto const opened = open_forwarder(AF_INET, forwarders_[0]); !opened) return opened;
    // A host without IPv6 has nobody to forward it for.
    (void)open_forwarder(AF_INET6, forwarders_[1]);
  }
  for (Socket *const socket : *sockets_) {
    auto const kind = is_datagram(socket->netid) ? Kind::datagrams : Kind::listener;
    if (auto const watched = watch(socket->fd.get(), EPOLLIN, kind, socket); !watched) return watched;
  }
  return watch(store_->fd(), EPOLLIN, Kind::store, nullptr);
}

Done Server::open_forwarder(int family, Box<Forwarder> &forwarder) noexcept {
  forwarder = make_box<Forwarder>(*portmapper_, meter_);
  if (!forwarder) return failed("serve", ENOMEM);
  auto const opened = forwarder->open(family);
  if (opened) return watch(forwarder->fd(), EPOLLIN, Kind::forwarder, forwarder.get());
  forwarder.reset();
  return opened;
}

Done Server::run() noexcept {
  while (going_on_) {
    struct epoll_event room[64];
    auto const next = paused_ ? resume_ : has_deadline_ ? earliest_ : Deadline();
    auto const events = epoll_->wait(room, next);
    if (!events) return fail(events);
    for (auto const &event : *events) {
      // One that was closed meanwhile has no place any more; a number that was given anew is another's first event.
      Place const place = places_[static_cast<size_t>(event.data.fd)];
      handle(place, event.events);
    }
    if (has_deadline_ && earliest_.remaining() == 0) close_late();
    if (paused_ && resume_.remaining() == 0) pause(false);
  }
  return {};
}

void Server::handle(Place const &place, uint32_t events) noexcept {
  switch (place.kind) {
    case Kind::none: return;
    case Kind::stop: going_on_ = false; return;
    case Kind::store: return portmapper_->refresh();
    case Kind::datagrams: {
      auto const &socket = *static_cast<Socket const *>(place.what);
      if (!datagrams_->receive(socket)) return;
      portmapper_->refresh();
      return datagrams_->answer(socket, *portmapper_, meter_, forwarders_[is_v6(socket.netid)].get());
    }
    case Kind::forwarder: return static_cast<Forwarder *>(place.what)->answer();
    case Kind::listener: return accept_one(*static_cast<Socket *>(place.what));
    case Kind::stream: return serve(*static_cast<Stream *>(place.what), events);
  }
}

// --- connections

void Server::accept_one(Socket &socket) noexcept {
  for (;;) {
    union {
      struct sockaddr any;
      char bytes[sizeof(struct sockaddr_storage)];
    } name;
    socklen_t size = sizeof name;
    Fd fd(sys::accept4(socket.fd.get(), &name.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      Endpoint peer = Endpoint::none();
      if (socket.netid != Netid::local) memcpy(&peer, &name, std::min<size_t>(size, sizeof peer));
      return begin(std::move(fd), socket, peer);
    }
    int const code = errno;
    // Nobody is there any more, or it is of that one connection: accept(2).
    if (code != EMFILE && code != ENFILE && code != ENOBUFS && code != ENOMEM) return;
    if (make_room()) continue;
    warn_sys({code, "accept"}, "a connection");
    return pause(true);
  }
}

/** Closes the one that was silent longest, unless its peer is root here, who may be. */
bool Server::make_room() noexcept {
  Stream *oldest = nullptr;
  for (Stream *const stream : streams_) {
    if (stream->caller().transport == Netid::local && stream->uid() == 0) continue;
    if (!oldest || stream->last < oldest->last) oldest = stream;
  }
  if (oldest) close(*oldest);
  return oldest;
}

/** Who does not take what he asked for has most of it. */
void Server::keep_within() noexcept {
  while (buffered_ > limits_.buffered) {
    Stream *fullest = streams_[0];
    for (Stream *const stream : streams_)
      if (stream->buffered() > fullest->buffered()) fullest = stream;
    close(*fullest);
  }
}

/** Whether nothing is accepted for a while, or it is again. */
void Server::pause(bool pauses) noexcept {
  for (Socket *const socket : *sockets_)
    if (!is_datagram(socket->netid)) (void)epoll_->change(socket->fd.get(), pauses ? 0U : uint32_t{EPOLLIN});
  paused_ = pauses;
  if (pauses) resume_ = Deadline::in(rest);
}

void Server::begin(Fd fd, Socket const &socket, Endpoint const &peer) noexcept {
  Caller caller = {socket.netid, peer, Endpoint::none(), -1, 0, 0, {}};
  if (socket.netid == Netid::local) {
    struct ucred who;
    socklen_t size = sizeof who;
    if (sys::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &who, &size) < 0) return;
    caller.uid = who.uid;
    caller.pid = who.pid;
  } else {
    // Answers go at once: what comes after one is no reason to wait for its acknowledgement.
    int const yes = 1;
    (void)sys::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    socklen_t size = sizeof caller.reached;
    if (sys::getsockname(fd.get(), &caller.reached.any, &size) < 0) return;
  }
  uint32_t same = 0;
  for (Stream *const stream : streams_)
    same += stream->caller().transport == Netid::local
                ? socket.netid == Netid::local && stream->uid() == caller.uid && caller.uid != 0
                : same_host(stream->caller().peer, peer);
  if (same >= limits_.of_one) return;
  if (streams_.size() >= limits_.connections && !make_room()) return;
  auto stream = make_box<Stream>(std::move(fd), caller);
  if (!stream || !streams_.append(stream.get())) return;
  Stream *const kept = stream.release();
  kept->last = ++clock_;
  if (!watch(kept->fd(), EPOLLIN, Kind::stream, kept)) return close(*kept);
  set_deadline(*kept);
}

void Server::serve(Stream &stream, uint32_t events) noexcept {
  stream.last = ++clock_;
  size_t const before = stream.buffered();
  bool const goes_on = stream.is_busy() ? stream.send(*portmapper_) : stream.receive(*portmapper_);
  buffered_ += stream.buffered() - before;
  // Hung up on both sides: there is nobody to answer.
  if (!goes_on || (events & (EPOLLERR | EPOLLHUP))) return close(stream);
  if (stream.is_busy() != stream.sending) {
    stream.sending = !stream.sending;
    if (!epoll_->change(stream.fd(), stream.sending ? EPOLLOUT : EPOLLIN)) return close(stream);
  }
  set_deadline(stream);
  keep_within();
}

/** Each record that came, and each answer that was sent, gives it time again; a byte does not. */
void Server::set_deadline(Stream &stream) noexcept {
  bool const midway = stream.is_midway();
  if (stream.timed && stream.timed_at == stream.progress() && stream.timed_midway == midway) return;
  bool const for_ever = stream.caller().transport == Netid::local && stream.uid() == 0;
  stream.timed = true;
  stream.timed_midway = midway;
  stream.timed_at = stream.progress();
  stream.deadline = midway ? Deadline::in(limits_.midway) : for_ever ? Deadline() : Deadline::in(limits_.idle);
  int const left = stream.deadline.remaining();
  if (left < 0) return;
  int const least = has_deadline_ ? earliest_.remaining() : -1;
  if (least < 0 || left < least) {
    earliest_ = stream.deadline;
    has_deadline_ = true;
  }
}

void Server::close(Stream &stream) noexcept {
  places_[static_cast<size_t>(stream.fd())] = {Kind::none, nullptr};
  buffered_ -= stream.buffered();
  for (Stream *&one : streams_) {
    if (one != &stream) continue;
    one = streams_[streams_.size() - 1];
    streams_.truncate(streams_.size() - 1);
    break;
  }
  Box<Stream>(&stream).reset();
}

void Server::close_late() noexcept {
  has_deadline_ = false;
  for (size_t i = 0; i < streams_.size();) {
    int const left = streams_[i]->deadline.remaining();
    if (left == 0) {
      close(*streams_[i]);
      continue;
    }
    if (left > 0 && (!has_deadline_ || left < earliest_.remaining())) {
      earliest_ = streams_[i]->deadline;
      has_deadline_ = true;
    }
    ++i;
  }
}

} // namespace pm::onc
