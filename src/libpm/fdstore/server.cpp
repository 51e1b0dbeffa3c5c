// Who is connected, and for how long.

#include <fcntl.h>
#include <pm/base/children.h>
#include <pm/base/readiness.h>
#include <pm/base/say.h>
#include <pm/fdstore/server.h>
#include <algorithm>

namespace pm::fdstore {

namespace {
constexpr char const *doing = "serve";

int sooner(int a, int b) noexcept {
  return a < 0 ? b : b < 0 ? a : std::min(a, b);
}
} // namespace

Done Server::prepare() noexcept {
  int listens = 0;
  socklen_t size = sizeof listens;
  if (sys::getsockopt(socket_, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0) return failed(doing);
  if (!listens) return failed(doing, EINVAL);
  auto signals = Signals::trap({SIGTERM, SIGINT, SIGHUP});
  if (!signals) return fail(signals);
  signals_ = std::move(*signals);
  announce_readiness(options_.ready);
  return {};
}

int Server::timeout() const noexcept {
  int result = store_.next_expiry();
  if (int const left = paused_until_.remaining(); left) result = sooner(result, left);
  for (auto const &one : clients_)
    if (one && !one->waits) result = sooner(result, one->deadline.remaining());
  return result;
}

Result<Ended> Server::run() noexcept {
  if (auto const prepared = prepare(); !prepared) return fail(prepared);
  for (;;) {
    struct pollfd fds[3 + offerers_max + clients_max] = {{signals_.fd(), POLLIN, 0}, {store_.fd(), POLLIN, 0}, {-1, POLLIN, 0}};
    // Where there is no room for more clients, offers wait.
    bool const room = has_room();
    bool more = false;
    for (size_t i = 0; i < offerers_max; ++i) {
      bool const wanted = room && offerers_[i];
      fds[3 + i] = {wanted ? offerers_[i]->socket.get() : -1, POLLIN, 0};
      more = more || (wanted && offerers_[i]->channel.has_more());
    }
    nfds_t count = 3 + offerers_max;
    // Somebody who waits has nothing to say: of him only the end is heard, which poll tells anyway.
    for (auto const &one : clients_) {
      if (!one) continue;
      fds[count++] = {one->connection.fd(), static_cast<short>(one->waits ? 0 : one->answers ? POLLOUT : POLLIN), 0};
      more = more || has_more(*one);
    }
    if (room && paused_until_.remaining() == 0) fds[2].fd = socket_;
    int const n = sys::poll(fds, count, more ? 0 : timeout());
    if (n < 0 && errno != EINTR) return failed(doing);
    if (n < 0) continue;
    if (fds[0].revents)
      if (int const signal = signals_.next()) return signal == SIGHUP ? Ended::to_execute : Ended::by_signal;
    if (fds[1].revents) store_.drop_ended();
    store_.drop_expired();
    // Whose turn it was is decided before anybody is served: who is woken by another has been looked at by then.
    bool ready[clients_max] = {};
    count = 3 + offerers_max;
    for (size_t i = 0; i < clients_max; ++i)
      if (clients_[i]) ready[i] = fds[count++].revents != 0 || has_more(*clients_[i]);
    for (size_t i = 0; i < clients_max; ++i) {
      auto &one = clients_[i];
      if (!one) continue;
      bool const stays = ready[i] ? !one->waits && serve(*one) : one->waits || one->deadline.remaining() != 0;
      if (!stays) one.reset();
    }
    for (size_t i = 0; i < offerers_max; ++i)
      if (offerers_[i] && has_room() && (fds[3 + i].revents || offerers_[i]->channel.has_more()) && !serve(*offerers_[i]))
        offerers_[i].reset();
    if (fds[2].revents) accept_one();
  }
}

bool Server::has_room() const noexcept {
  return std::any_of(std::begin(clients_), std::end(clients_), [](auto const &one) noexcept { return !one; });
}

void Server::accept_one() noexcept {
  Fd connected(sys::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC));
  if (!connected.valid()) {
    // Left in the queue, it would be ready for ever.
    if (!is_exhaustion(errno)) return;
    warn_sys({errno, "accept a connection"}, "");
    paused_until_ = Deadline::in(1000);
    return;
  }
  if (options_.is_worker) add_offerer(std::move(connected));
  else admit(std::move(connected));
}

void Server::admit(Fd connected) noexcept {
  auto const peer = peer_of(connected.get());
  if (!peer) return;
  size_t of_one = 0;
  for (auto const &one : clients_) of_one += one && one->rights.uid == peer->uid;
  auto rights = rights_of(*peer, options_.rules);
  if (!rights) warn_sys(rights.error(), (Text<64>("for uid ") << peer->uid).view());
  bool const wanted = rights && *rights && ((*rights)->all || of_one < clients_of_one_max);
  auto one = make_box<Client>();
  if (!one || one->connection.set_fd(Connection::Mode::local, std::move(connected)) != Status::ok) return;
  if (!wanted) {
    if (rights)
      warn("refused uid ", (Text<16>() << peer->uid).view(), of_one < clients_of_one_max ? "" : ": too many connections");
    one->connection.set_hook([](void *, PeerIdentity const &) noexcept { return false; }, nullptr);
    (void)one->connection.accept(Wait::never());
    return;
  }
  one->rights = std::move(**rights);
  one->deadline = Deadline::in(options_.patience);
  if (one->connection.accept(Wait::never()) != Status::pending && one->connection.state() == Connection::State::closed) return;
  for (auto &place : clients_)
    if (!place) {
      place = std::move(one);
      if (!serve(*place)) place.reset();
      return;
    }
}

bool Server::serve(Client &client) noexcept {
  for (;;) {
    message::Message *message = nullptr;
    auto const state = client.connection.state();
    bool const goes_on = client.answers || state == Connection::State::establishing;
    // A message is what receive() says; what finish() says is of an answer, or of the beginning.
    auto const status =
        goes_on ? client.connection.finish(message, Wait::never()) : client.connection.receive(message, Wait::never());
    if (status == Status::pending) return true;
    if (goes_on && status == Status::ok) {
      client.answers = false;
      client.deadline = Deadline::in(options_.patience);
      continue;
    }
    if (status == Status::unknown_message || status == Status::bad_message) {
      if (client.connection.send_error(status, Wait::never()) != Status::ok) return false;
      continue;
    }
    if (status != Status::ok) {
      if (status != Status::closed && status != Status::lost && status != Status::peer_error)
        warn("dropped a client of uid ", (Text<16>() << client.rights.uid).view(), ": ", describe(status));
      return false;
    }
    if (!handle(client, *message)) return false;
    client.deadline = Deadline::in(options_.patience);
    if (client.waits) return true;
  }
}

} // namespace pm::fdstore
