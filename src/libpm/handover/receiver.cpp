#include "libpm/handover/receiver.h"

#include <stdlib.h>
#include <unistd.h>
#include <algorithm>
#include <utility>
#include "libpm/fifodir/inherited.h"
#include "libpm/net/listen.h"
#include "libpm/net/peer.h"

namespace pm::handover {

namespace {
constexpr char const *doing = "take descriptors from";
constexpr std::string_view may_not_offer = "only root, the user of the worker and the users of -u may offer descriptors";
} // namespace

Done Receiver::prepare() noexcept {
  auto const address = adopt_socket(socket_.get(), doing);
  if (!address) return fail(address);
  if (!address->is_local()) return failed(doing, EAFNOSUPPORT);
  datagrams_ = address->type() == SOCK_DGRAM;
  // A datagram socket has no peer to ask for. With this option the kernel adds the sender's credentials to each datagram.
  int const yes = 1;
  if (datagrams_ && sys::setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0) return failed(doing);
  fifodir::keep_from_children(::getenv(fifodir::inherited_variable));
  if (auto const taken = children_.take_signals({SIGCHLD, SIGTERM, SIGHUP, SIGINT}); !taken)
    return failed("trap signals", taken.error().code);
  return interrupter_.make();
}

Result<std::optional<Received>> Receiver::run() noexcept {
  NonBlockingSockets accepted_from;
  while (going_on_) {
    // At the limit nothing is read, so that offers wait in the sockets.
    bool const room = has_room();
    struct pollfd fds[2 + peers_max] = {{children_.fd(), POLLIN, 0}, {-1, POLLIN, 0}};
    // Only connected peers have an element: poll takes at most as many elements as the process may have descriptors.
    size_t count = 2;
    bool more = false;
    int timeout = children_.pause().left();
    for (auto const &peer : peers_) {
      if (!peer) continue;
      bool const is_read = has_room_for(peer->user());
      fds[count++] = {is_read ? peer->fd() : -1, POLLIN, 0};
      if (is_read) timeout = shorter(timeout, peer->time_left());
      more = more || (is_read && peer->has_more());
    }
    if (room && !children_.pause().is_on() && (datagrams_ || count < std::size(fds))) fds[1].fd = socket_.get();
    int const ready = interrupter_.poll(fds, count, more ? 0 : timeout);
    if (ready < 0 && errno != EINTR) return failed(doing);
    if (ready < 0) continue;
    if (fds[0].revents) {
      int const signal = children_.next_signal();
      if (signal == SIGCHLD) reap();
      else if (signal > 0) going_on_ = false;
      continue;
    }
    count = 2;
    for (auto &peer : peers_) {
      if (!peer) continue;
      bool const is_ready = fds[count++].revents || peer->has_more();
      // Serving a peer may use up the room.
      if (!going_on_ || !has_room_for(peer->user())) continue;
      if (is_ready ? serve(*peer) : peer->time_left() != 0) continue;
      peer.reset();
    }
    if (fds[1].revents && going_on_ && has_room()) {
      if (datagrams_) (void)serve(datagram_peer_);
      else if (auto const accepted = accept_one(accepted_from); !accepted) return fail(accepted);
    }
    if (!has_room()) dismiss();
  }
  return std::move(received_);
}

void Receiver::close() noexcept {
  socket_.reset();
  dismiss();
}

Done Receiver::accept_one(NonBlockingSockets &accepted_from) noexcept {
  if (auto const added = accepted_from.add(socket_.get()); !added) return added;
  Accepted accepted = acceptor_.accept(socket_.get());
  if (accepted.kind == Accepted::Kind::broken) return failed(doing, accepted.code);
  if (accepted.kind == Accepted::Kind::paused) log_->warn_of({accepted.code, "accept a connection"}, "");
  if (accepted.kind != Accepted::Kind::connection) return {};
  auto const peer = peer_credentials(accepted.fd.get());
  if (!peer || !slow_files_.may_give_more(peer->uid)) return {};
  Places places = {peers_max, 0};
  uint32_t of_one = 0;
  for (auto const &place : peers_) {
    places.taken += place ? 1 : 0;
    of_one += place && place->user() == peer->uid;
  }
  bool const may = may_offer(peer->uid), has_place = has_share_for(peer->uid, of_one, places);
  if (!may || !has_place) {
    OfferingPeer stranger(std::move(accepted.fd), peer->uid);
    stranger.refuse(may ? "too many connections of this user" : may_not_offer);
    log_->warn("refused uid ", (Text<16>() << peer->uid).view(),
               may ? ", which has too many connections" : ", which may not offer descriptors");
    return {};
  }
  for (auto &place : peers_)
    if (!place) {
      place = make_box<OfferingPeer>(std::move(accepted.fd), peer->uid, patience);
      break;
    }
  return {};
}

bool Receiver::has_share_for(uid_t user, uint32_t own, Places places) const noexcept {
  if (is_trusted_user(user)) return places.free() > 0;
  if (options_.offerers.size() == 1) return places.free() > places.reserve();
  return places.has_share_for(own, places.reserve());
}

bool Receiver::has_room_for(uid_t user) const noexcept {
  auto const own = std::count_if(programs_.begin(), programs_.end(), [=](auto const &one) noexcept { return one.user == user; });
  return has_share_for(user, static_cast<uint32_t>(own), {options_.most, static_cast<uint32_t>(programs_.size())});
}

bool Receiver::serve(OfferingPeer &peer) noexcept {
  auto const user = datagrams_ ? user_of_datagram() : std::optional<uid_t>(peer.user());
  if (!user || (!datagrams_ && !slow_files_.may_give_more(*user))) return datagrams_;
  slow_files_.charge(*user);
  auto const received = peer.receive();
  if (!received) {
    int const code = received.error().code;
    // A file of an unfinished offer would make the PROG wait that is started for another user.
    if (code == EAGAIN) return peer.time_left() != 0 && (is_trusted_user(*user) || !slow_files_.has_of(*user));
    if (code != ECONNRESET) refuse(peer, (Text<256>("unable to ") << received.error().doing << ": " << strerror(code)).view());
    return datagrams_;
  }
  if (!*received) return false;
  auto const type = (*received)->type;
  auto const refused = handle(peer, **received);
  // Descriptors that were not taken are closed now, not when the next message arrives.
  (*received)->descriptors.clear();
  // An answer gets no answer: if PROG echoes what it reads, and the peer is such a PROG, the two would go on without end.
  if (type == message::Finished::type || type == message::Refused::type) return datagrams_;
  if (refused) refuse(peer, refused->view());
  else (void)peer.accept();
  return !refused || datagrams_;
}

void Receiver::dismiss() noexcept {
  for (auto &peer : peers_) {
    if (!peer || peer->is_answered()) continue;
    peer->turn_away();
    peer.reset();
  }
}

void Receiver::refuse(OfferingPeer &peer, std::string_view why) noexcept {
  peer.refuse(why);
  log_->warn("refused a descriptor: ", why);
}

std::optional<Text<256>> Receiver::handle(OfferingPeer const &peer, message::Message &message) noexcept {
  // Another worker on the same socket may have taken the datagram whose sender was looked at.
  if (datagrams_) slow_files_.charge(peer.sender().credentials.uid);
  if (datagrams_ && (peer.sender().credentials.pid == 0 || !may_offer(peer.sender().credentials.uid)))
    return Text<256>(may_not_offer);
  if (datagrams_ && !has_room_for(slow_files_.charged())) return Text<256>("too many programs on descriptors of this user");
  Offer offer;
  if (!OfferingPeer::read(message, offer)) return Text<256>("not an offer of a descriptor");
  if (!is_identity(offer.identity)) return Text<256>("more is said than PROTO and its variables, or more than 4096 bytes");
  return take(offer, std::move(offer.descriptor));
}

std::optional<uid_t> Receiver::user_of_datagram() noexcept {
  auto const sender = message::peek_credentials(socket_.get());
  if (sender && slow_files_.may_give_more(sender->uid)) return sender->uid;
  // Without room for control messages, the kernel closes the descriptors itself, and waits for no file server.
  struct msghdr nothing = {};
  if (sender) (void)sys::recvmsg(socket_.get(), &nothing, MSG_DONTWAIT);
  return std::nullopt;
}

std::optional<Text<256>> Receiver::take(Offer const &offer, Fd descriptor) noexcept {
  // PROG would wait when it is executed, because that closes this process's descriptors.
  if (uid_t const user = slow_files_.charged();
      !is_trusted_user(user) && (SlowFiles::is_slow(descriptor.get()) || slow_files_.has_of(user)))
    return Text<256>("closing this file may wait for its server: only root and the user of the worker may offer it");
  if (is_same_socket(descriptor.get(), socket_.get())) return Text<256>("it is the worker's own socket");
  Environment environment;
  apply(offer.identity, environment);
  environment.unset(fifodir::inherited_variable);
  if (options_.once) {
    received_ = Received{std::move(descriptor), std::move(environment)};
    going_on_ = false;
    return std::nullopt;
  }
  auto const variables = environment.merged();
  // The child's pid needs memory, which is allocated before the child starts.
  if (!variables || !programs_.append({0, slow_files_.charged()})) return Text<256>("out of memory");
  auto const child = children_.start(program_, variables->begin(), {{descriptor.get(), 0}, {descriptor.get(), 1}});
  if (!child) {
    programs_.truncate(programs_.size() - 1);
    return Text<256>("unable to start ") << program_[0] << ": " << strerror(child.error().code);
  }
  programs_[programs_.size() - 1].pid = *child;
  return std::nullopt;
}

void Receiver::reap() noexcept {
  children_.reap([&](pid_t child, int) noexcept {
    // The program that this process was before may have left children, too.
    auto *const one =
        std::find_if(programs_.begin(), programs_.end(), [=](auto const &each) noexcept { return each.pid == child; });
    if (one == programs_.end()) return;
    *one = programs_[programs_.size() - 1];
    programs_.truncate(programs_.size() - 1);
  });
}

} // namespace pm::handover
