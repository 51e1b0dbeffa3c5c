#include "libpm/handover/store_server.h"

#include <algorithm>
#include "libpm/handover/store_save.h"
#include "libpm/net/listen.h"
#include "libpm/net/server_users.h"
#include "libpm/util/places.h"

namespace pm::handover {

namespace {
constexpr char const *doing = "serve";
} // namespace

Done StoreServer::prepare() noexcept {
  auto const address = adopt_socket(socket_, doing);
  if (!address) return fail(address);
  if (!address->is_local()) return failed(doing, EAFNOSUPPORT);
  if (address->type() == SOCK_DGRAM) return failed(doing, EINVAL);
  auto signals = Signals::trap({SIGTERM, SIGINT, SIGHUP});
  if (!signals) return fail(signals);
  signals_ = std::move(*signals);
  return interrupter_.make();
}

int StoreServer::timeout() const noexcept {
  int result = shorter(context_.table.next_expiry(), pause_.left());
  for (auto const &session : sessions_)
    if (session) result = shorter(result, session->time_left());
  return result;
}

Result<StoreEnded> StoreServer::run() noexcept {
  NonBlockingSockets accepted_from;
  for (;;) {
    struct pollfd fds[3 + offerers_max + 2 * clients_max] = {
        {signals_.fd(), POLLIN, 0}, {context_.table.fd(), POLLIN, 0}, {-1, POLLIN, 0}};
    // Without room for more clients, offers wait in the sockets.
    bool const room = has_room();
    bool more = false;
    for (size_t i = 0; i < offerers_max; ++i) {
      bool const wanted = room && offerers_[i];
      fds[3 + i] = {wanted ? offerers_[i]->fd() : -1, POLLIN, 0};
      more = more || (wanted && offerers_[i]->has_more());
    }
    nfds_t count = 3 + offerers_max;
    for (auto const &session : sessions_) {
      if (!session) continue;
      fds[count++] = {session->fd(), session->events(), 0};
      if (session->process() >= 0) fds[count++] = {session->process(), POLLIN, 0};
      more = more || session->has_more();
    }
    if (room && !pause_.is_on()) fds[2].fd = socket_;
    int const n = interrupter_.poll(fds, count, more ? 0 : timeout());
    if (n < 0 && errno != EINTR) return failed(doing);
    if (n < 0) continue;
    if (fds[0].revents)
      if (int const signal = signals_.next()) return signal == SIGHUP ? StoreEnded::to_execute : StoreEnded::by_signal;
    if (fds[1].revents) context_.table.drop_ended();
    context_.table.drop_expired();
    // All sessions are looked at before the first is served, because serving one may change whether another waits.
    bool ready[clients_max] = {}, ended[clients_max] = {};
    count = 3 + offerers_max;
    for (size_t i = 0; i < clients_max; ++i) {
      if (!sessions_[i]) continue;
      ready[i] = fds[count++].revents != 0 || sessions_[i]->has_more();
      ended[i] = sessions_[i]->process() >= 0 && fds[count++].revents != 0;
    }
    for (size_t i = 0; i < clients_max; ++i) {
      auto &session = sessions_[i];
      if (!session) continue;
      bool const stays = ready[i] ? !session->is_waiting() && !session->has_ended() && serve(*session)
                                  : session->time_left() != 0 && !(ended[i] && session->process() >= 0);
      if (!stays) end(session);
    }
    for (size_t i = 0; i < offerers_max; ++i)
      if (offerers_[i] && has_room() && (fds[3 + i].revents || offerers_[i]->has_more()) && !serve(*offerers_[i]))
        offerers_[i].reset();
    if (fds[2].revents)
      if (auto const accepted = accept_one(accepted_from); !accepted) return fail(accepted);
  }
}

void StoreServer::end(Box<StoreSession> &session) noexcept {
  if (session->end()) session.reset();
}

bool StoreServer::has_room() const noexcept {
  return std::any_of(std::begin(sessions_), std::end(sessions_), [](auto const &one) noexcept { return !one; });
}

Done StoreServer::accept_one(NonBlockingSockets &accepted_from) noexcept {
  if (auto const added = accepted_from.add(socket_); !added) return added;
  Accepted accepted = acceptor_.accept(socket_);
  if (accepted.kind == Accepted::Kind::broken) return failed("accept connections on", accepted.code);
  if (accepted.kind == Accepted::Kind::paused) log_->warn_of({accepted.code, "accept a connection"}, "");
  if (accepted.kind != Accepted::Kind::connection) return {};
  if (options_.is_worker) add_offerer(std::move(accepted.fd));
  else admit(std::move(accepted.fd));
  return {};
}

void StoreServer::admit(Fd connected) noexcept {
  auto const peer = peer_of(connected.get());
  if (!peer) return;
  uint32_t of_one = 0;
  Places places = {clients_max, 0};
  for (auto &session : sessions_) {
    if (session && session->has_ended()) end(session);
    places.taken += session ? 1 : 0;
    of_one += session && session->user() == peer->uid;
  }
  if (!slow_files_.may_give_more(peer->uid)) return;
  slow_files_.charge(peer->uid);
  bool const has_place = of_one < clients_of_one_max && places.has_share_for(of_one, places.reserve());
  auto rights = rights_of(*peer, options_.rules);
  if (!rights) log_->warn_of(rights.error(), (Text<64>("for uid ") << peer->uid).view());
  bool const wanted = rights && *rights && ((*rights)->all || has_place);
  auto made = make_box<StoreSession>(context_);
  if (!made || !made->take(std::move(connected))) return;
  if (!wanted) {
    if (rights) log_->warn("refused uid ", (Text<16>() << peer->uid).view(), has_place ? "" : ": too many connections");
    made->reject();
    return;
  }
  if (!made->admit(std::move(**rights))) return;
  for (auto &session : sessions_)
    if (!session) {
      session = std::move(made);
      if (!serve(*session)) end(session);
      return;
    }
}

bool StoreServer::serve(StoreSession &session) noexcept {
  if (!slow_files_.may_give_more(session.user())) return false;
  slow_files_.charge(session.user());
  return session.serve([this](std::string_view name) noexcept { wake(name); });
}

void StoreServer::wake(std::string_view name) noexcept {
  for (auto &session : sessions_) {
    if (!session || !session->is_waiting_for(name) || !context_.table.find(name)) continue;
    if (!session->end_wait()) end(session);
  }
}

void StoreServer::add_offerer(Fd connected) noexcept {
  auto const peer = peer_of(connected.get());
  bool const may_offer = peer && is_trusted_user(peer->uid);
  for (auto &place : offerers_) {
    if (place || !may_offer) continue;
    place = make_box<OfferingPeer>(std::move(connected), peer->uid);
    return;
  }
  OfferingPeer stranger(std::move(connected), peer ? peer->uid : 0);
  stranger.refuse("offers are taken from root and from my own user, four at a time");
  if (!may_offer) log_->warn("refused a connection from a user that may not offer any");
}

bool StoreServer::serve(OfferingPeer &offerer) noexcept {
  // One offer at a time: whether there is room for the next is known afterwards.
  auto const received = offerer.receive();
  if (!received) return received.error().code == EAGAIN;
  Offer offer;
  if (!*received || !OfferingPeer::read(**received, offer)) return false;
  // The client's identity is the kernel's peer credentials of its own connection, whatever the offer says.
  admit(std::move(offer.descriptor));
  return offerer.accept().has_value();
}

Done StoreServer::restore(int state) noexcept {
  if (auto const made = context_.table.make(); !made) return made;
  if (auto const restored = state < 0 ? Done() : restore_table(context_.table, Fd(state)); !restored) return restored;
  for (auto const &stored : context_.table.all())
    if (auto const noted = slow_files_.note(stored.fd, stored.owner); !noted) return noted;
  return {};
}

Result<Fd> StoreServer::save() noexcept {
  auto file = save_table(context_.table);
  if (!file) return file;
  // The clients connect again. Answers are sent or on their way; a request that has not arrived completely has no effect.
  for (auto &session : sessions_) session.reset();
  for (auto &offerer : offerers_) offerer.reset();
  if (auto const inherited = set_inherited(context_.table, socket_, true); !inherited) {
    undo_save();
    return fail(inherited);
  }
  return file;
}

void StoreServer::undo_save() noexcept {
  (void)set_inherited(context_.table, socket_, false);
}

} // namespace pm::handover
