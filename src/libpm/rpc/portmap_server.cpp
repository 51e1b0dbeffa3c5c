#include "libpm/rpc/portmap_server.h"

#include <netinet/tcp.h>
#include <utility>
#include "libpm/net/hang_up.h"
#include "libpm/net/network.h"
#include "libpm/net/peer.h"

namespace pm::rpc {

PortmapServer::~PortmapServer() {
  while (!streams_.empty()) close(*streams_[0]);
}

Done PortmapServer::watch(int fd, uint32_t events, Kind kind, void *what) noexcept {
  auto const place = static_cast<size_t>(fd);
  while (places_.size() <= place)
    if (!places_.append({Kind::none, nullptr})) return failed("serve", ENOMEM);
  if (auto const added = epoll_->add(fd, events); !added) return added;
  places_[place] = {kind, what};
  return {};
}

Done PortmapServer::open(int stop, registry::RemovalWatch &removal) noexcept {
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  epoll_.emplace(std::move(*epoll));
  if (auto const made = interrupter_.make(); !made) return made;
  if (auto const watched = watch(stop, EPOLLIN, Kind::stop, nullptr); !watched) return watched;
  if (removal.fd() >= 0)
    if (auto const watched = watch(removal.fd(), EPOLLIN, Kind::removal, &removal); !watched) return watched;
  // Ignore a failure: the addresses are read each time.
  auto &interfaces = portmapper_->interfaces();
  if (interfaces.open())
    if (auto const watched = watch(interfaces.fd(), EPOLLIN, Kind::interfaces, nullptr); !watched) return watched;
  interfaces.refresh();
  join_all_groups();
  if (portmapper_->options().forwards) {
    if (auto const opened = open_forwarder(AF_INET, forwarders_[0]); !opened) return opened;
    // Ignore a failure: a host without IPv6 has no clients of IPv6.
    (void)open_forwarder(AF_INET6, forwarders_[1]);
  }
  for (RpcSocket *const socket : *sockets_) {
    auto const kind = is_datagram(socket->netid) ? Kind::datagrams : Kind::listener;
    if (auto const watched = watch(socket->fd.get(), EPOLLIN, kind, socket); !watched) return watched;
  }
  return watch(rows_->fd(), EPOLLIN, Kind::rows, nullptr);
}

Done PortmapServer::open_forwarder(int family, Box<Forwarder> &forwarder) noexcept {
  forwarder = make_box<Forwarder>(*portmapper_, meter_);
  if (!forwarder) return failed("serve", ENOMEM);
  auto const opened = forwarder->open(family);
  if (opened) return watch(forwarder->fd(), EPOLLIN, Kind::forwarder, forwarder.get());
  forwarder.reset();
  return opened;
}

Done PortmapServer::run() noexcept {
  auto const served = serve();
  accepted_from_.restore();
  return served;
}

Done PortmapServer::serve() noexcept {
  while (going_on_) {
    struct epoll_event room[64];
    int const next = shorter(pause_.left(), has_deadline_ ? earliest_.remaining() : -1);
    auto const events = interrupter_.wait(*epoll_, room, next);
    if (!events) return fail(events);
    for (auto const &event : *events) {
      // A handler may have closed a later descriptor of this list: its place is empty then, or belongs to a new connection, for
      // which the event is harmless.
      Place const place = places_[static_cast<size_t>(event.data.fd)];
      handle(place, event.events);
    }
    // A call may have read the addresses before the event.
    if (portmapper_->interfaces().fd() >= 0 && portmapper_->interfaces().reads() != joined_at_) join_all_groups();
    if (has_deadline_ && earliest_.remaining() == 0) close_late();
    if (!listens_ && !pause_.is_on()) listen_for_connections(true);
  }
  return removed_ ? Done(failed(registry::removed_registry.doing, registry::removed_registry.code)) : Done();
}

void PortmapServer::join_all_groups() noexcept {
  joined_at_ = portmapper_->interfaces().reads();
  for (RpcSocket *const socket : *sockets_) join_groups(*socket, portmapper_->interfaces());
}

void PortmapServer::handle(Place const &place, uint32_t events) noexcept {
  switch (place.kind) {
    case Kind::none: return;
    case Kind::stop: going_on_ = false; return;
    case Kind::removal:
      removed_ = static_cast<registry::RemovalWatch *>(place.what)->is_removed();
      going_on_ = going_on_ && !removed_;
      return;
    case Kind::rows: return portmapper_->refresh();
    case Kind::interfaces: return portmapper_->interfaces().refresh();
    case Kind::datagrams: return datagrams_.serve(*static_cast<RpcSocket const *>(place.what), forwarders_);
    case Kind::forwarder: return static_cast<Forwarder *>(place.what)->answer();
    case Kind::listener: return accept_one(*static_cast<RpcSocket *>(place.what));
    case Kind::stream: return serve(*static_cast<Stream *>(place.what), events);
  }
}

// --- connections

void PortmapServer::accept_one(RpcSocket &socket) noexcept {
  if (auto const added = accepted_from_.add(socket.fd.get()); !added) log_->warn_of(added.error(), "a listening socket");
  Accepted accepted = acceptor_.accept(socket.fd.get(), [this]() noexcept { return make_room(nullptr); });
  if (accepted.kind == Accepted::Kind::connection) return begin(std::move(accepted.fd), socket, accepted.peer);
  // The other sockets go on. epoll would report this one again and again.
  if (accepted.kind == Accepted::Kind::broken) epoll_->remove(socket.fd.get());
  if (accepted.kind != Accepted::Kind::paused && accepted.kind != Accepted::Kind::broken) return;
  log_->warn_of({accepted.code, "accept"}, "a connection");
  if (accepted.kind == Accepted::Kind::paused) listen_for_connections(false);
}

namespace {

/** Connections of root over local may be idle, and have no limit. */
bool is_unlimited(CallOrigin const &origin) noexcept {
  return origin.transport == Netid::local && origin.uid == 0;
}

bool is_same_client(CallOrigin const &a, CallOrigin const &b) noexcept {
  if (a.transport == Netid::local || b.transport == Netid::local) return a.transport == b.transport && a.uid == b.uid;
  return is_same_network(a.peer, b.peer);
}

} // namespace

/**
 * Closes the connection that was idle longest: of all, or of `client` if it is not null. A connection that is midway counts only if
 * no other is left. False: no connection may be closed.
 */
bool PortmapServer::make_room(CallOrigin const *client) noexcept {
  Stream *oldest = nullptr;
  for (Stream *const stream : streams_) {
    if (is_unlimited(stream->origin()) || (client && !is_same_client(stream->origin(), *client))) continue;
    bool const later_kind = oldest && stream->is_midway() != oldest->is_midway();
    if (!oldest || (later_kind ? oldest->is_midway() : stream->last < oldest->last)) oldest = stream;
  }
  if (oldest) close(*oldest);
  return oldest;
}

/** Closes the connections with the fullest buffers: their clients do not read the replies. */
void PortmapServer::keep_within() noexcept {
  while (buffered_ > limits_.buffered) {
    Stream *fullest = streams_[0];
    for (Stream *const stream : streams_)
      if (stream->buffered() > fullest->buffered()) fullest = stream;
    close(*fullest);
  }
}

void PortmapServer::listen_for_connections(bool listens) noexcept {
  for (RpcSocket *const socket : *sockets_)
    if (!is_datagram(socket->netid)) (void)epoll_->change(socket->fd.get(), listens ? uint32_t{EPOLLIN} : 0U);
  listens_ = listens;
}

void PortmapServer::begin(Fd fd, RpcSocket const &socket, SockAddr const &peer) noexcept {
  CallOrigin origin = {Netid::local, SockAddr(), SockAddr(), -1, 0, 0, 0};
  if (socket.netid == Netid::local) {
    auto const who = peer_credentials(fd.get());
    if (!who) return;
    origin.uid = who->uid;
    origin.pid = who->pid;
  } else {
    // Send each reply at once: do not wait for the acknowledgement of the one before.
    int const yes = 1;
    (void)sys::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto const reached = SockAddr::of_socket(fd.get());
    if (!reached) return;
    origin = ip_origin(socket.netid, peer, *reached);
    if (!portmapper_->admits(origin.peer)) return hang_up(fd.get());
  }
  origin.accepted = ++clock_;
  uint32_t same = 0;
  for (Stream *const stream : streams_) same += is_same_client(stream->origin(), origin);
  if (!is_unlimited(origin) && same >= limits_.of_one && !make_room(&origin)) return hang_up(fd.get());
  if (streams_.size() >= limits_.connections && !make_room(nullptr)) return hang_up(fd.get());
  auto stream = make_box<Stream>(std::move(fd), origin);
  if (!stream || !streams_.append(stream.get())) return;
  Stream *const kept = stream.release();
  kept->last = origin.accepted;
  if (!watch(kept->fd(), EPOLLIN, Kind::stream, kept)) return close(*kept);
  set_deadline(*kept);
}

void PortmapServer::serve(Stream &stream, uint32_t events) noexcept {
  stream.last = ++clock_;
  size_t const before = stream.buffered();
  bool const goes_on = stream.is_busy() ? stream.send(*portmapper_) : stream.receive(*portmapper_);
  buffered_ += stream.buffered() - before;
  // The client closed both directions: it reads no reply.
  if (!goes_on || (events & (EPOLLERR | EPOLLHUP))) return close(stream);
  if (stream.is_busy() != stream.sending) {
    stream.sending = !stream.sending;
    if (!epoll_->change(stream.fd(), stream.sending ? EPOLLOUT : EPOLLIN)) return close(stream);
  }
  set_deadline(stream);
  keep_within();
}

/** A whole record that was received, or all replies sent, renews the deadline. A single byte does not. */
void PortmapServer::set_deadline(Stream &stream) noexcept {
  bool const midway = stream.is_midway();
  if (stream.timed && stream.timed_at == stream.progress() && stream.timed_midway == midway) return;
  bool const for_ever = is_unlimited(stream.origin());
  stream.timed = true;
  stream.timed_midway = midway;
  stream.timed_at = stream.progress();
  stream.deadline = midway ? time_limit(limits_.midway) : for_ever ? Deadline() : time_limit(limits_.idle);
  int const left = stream.deadline.remaining();
  if (left < 0) return;
  int const least = has_deadline_ ? earliest_.remaining() : -1;
  if (least < 0 || left < least) {
    earliest_ = stream.deadline;
    has_deadline_ = true;
  }
}

void PortmapServer::close(Stream &stream) noexcept {
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

void PortmapServer::close_late() noexcept {
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

} // namespace pm::rpc
