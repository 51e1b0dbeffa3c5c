#include "libpm/client/offers.h"

#include <sys/epoll.h>
#include <algorithm>
#include "libpm/net/listen.h"
#include "libpm/net/peer.h"
#include "libpm/net/server_users.h"

namespace pm::client {

namespace {
constexpr char const *doing = "take descriptors from";
} // namespace

Result<Box<Offers>> Offers::open(int listening, std::span<uid_t const> others) noexcept {
  auto const address = adopt_socket(listening, doing);
  if (!address) return fail(address);
  if (!address->is_local()) return failed(doing, EAFNOSUPPORT);
  if (address->type() != SOCK_STREAM) return failed(doing, EPROTOTYPE);
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  auto offers = make_box<Offers>(listening, std::move(*epoll));
  if (!offers || !offers->others_.append(others)) return failed(doing, ENOMEM);
  if (auto const set = offers->non_blocking_.add(listening); !set) return fail(set);
  offers->timer_.reset(sys::timerfd(TFD_CLOEXEC | TFD_NONBLOCK));
  if (!offers->timer_.valid()) return failed(doing);
  for (int const fd : {listening, offers->timer_.get()})
    if (auto const added = offers->epoll_.add(fd, EPOLLIN); !added) return fail(added);
  return offers;
}

Offers::~Offers() {
  for (auto &peer : peers_)
    if (peer && !peer->is_answered()) peer->turn_away();
}

void Offers::forget() noexcept {
  non_blocking_.forget();
  for (auto &peer : peers_) peer.reset();
}

Done Offers::set_accepting(bool accepting) noexcept {
  accepting_ = accepting;
  return epoll_.change(listening_, accepting ? uint32_t{EPOLLIN} : 0);
}

Done Offers::accept_one() noexcept {
  Accepted accepted = acceptor_.accept(listening_);
  if (accepted.kind == Accepted::Kind::broken) return failed(doing, accepted.code);
  if (accepted.kind == Accepted::Kind::paused) {
    // The socket stays readable: look at it again after the pause.
    struct itimerspec const pause = {{}, {1, 0}};
    if (sys::timerfd_settime(timer_.get(), pause) < 0) return failed(doing);
    (void)set_accepting(false);
    return failed(doing, accepted.code);
  }
  if (accepted.kind != Accepted::Kind::connection) return {};
  Fd socket = std::move(accepted.fd);
  auto const peer = peer_credentials(socket.get());
  if (!peer) return {};
  if (!is_trusted_user(peer->uid, {others_.begin(), others_.size()})) {
    handover::OfferingPeer stranger(std::move(socket), peer->uid);
    stranger.refuse("only root, the user of the worker and the users that it names may offer descriptors");
    return {};
  }
  auto *const place = std::find(peers_, peers_ + peers_max, nullptr);
  if (auto const added = epoll_.add(socket.get(), EPOLLIN); !added) return added;
  *place = make_box<handover::OfferingPeer>(std::move(socket), peer->uid);
  if (!*place) return failed(doing, ENOMEM);
  return ++count_ == peers_max ? set_accepting(false) : Done();
}

/** Reads the next message of a peer. The connection ends unless it was an offer or is incomplete. */
std::optional<TakenDescriptor> Offers::serve(Box<handover::OfferingPeer> &peer) noexcept {
  auto const received = peer->receive();
  if (!received && received.error().code == EAGAIN) return std::nullopt;
  handover::Offer offer;
  if (received && *received && handover::OfferingPeer::read(**received, offer) && handover::is_identity(offer.identity)) {
    if (is_same_socket(offer.descriptor.get(), listening_)) return (peer->refuse("it is the worker's own socket"), std::nullopt);
    return TakenDescriptor{std::move(offer.descriptor), std::move(offer.identity)};
  }
  if (received && *received) peer->refuse("not an offer of a descriptor");
  else if (!received && received.error().code != ECONNRESET)
    peer->refuse((Text<256>("unable to ") << received.error().doing << ": " << strerror(received.error().code)).view());
  peer.reset();
  --count_;
  if (!accepting_) (void)set_accepting(true);
  return std::nullopt;
}

Result<std::optional<TakenDescriptor>> Offers::next() noexcept {
  // A message that was read with an earlier one makes no event.
  if (more_ < peers_max) {
    size_t const at = std::exchange(more_, peers_max);
    while (peers_[at] && peers_[at]->has_more())
      if (auto taken = serve(peers_[at])) {
        more_ = at;
        return taken;
      }
  }
  // A bound, because strangers may connect without end.
  for (size_t looks = 0; looks < peers_max; ++looks) {
    struct epoll_event room[1];
    auto const events = epoll_.take(room);
    if (!events) return fail(events);
    if (events->empty()) return std::optional<TakenDescriptor>();
    int const fd = (*events)[0].data.fd;
    if (fd == listening_) {
      if (auto const accepted = accept_one(); !accepted) return fail(accepted);
      continue;
    }
    if (fd == timer_.get()) {
      uint64_t count;
      (void)!sys::read(fd, &count, sizeof count);
      (void)set_accepting(count_ < peers_max);
      continue;
    }
    auto *const peer = std::find_if(peers_, peers_ + peers_max, [=](auto const &one) noexcept { return one && one->fd() == fd; });
    if (peer == peers_ + peers_max) continue;
    if (auto taken = serve(*peer)) {
      more_ = static_cast<size_t>(peer - peers_);
      return taken;
    }
  }
  return std::optional<TakenDescriptor>();
}

} // namespace pm::client
