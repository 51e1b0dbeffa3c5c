#include "libpm/super/connection_acceptor.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/util/places.h"

namespace pm::super {

namespace {

/** The most connections that are accepted before the loop looks at signals again. */
constexpr int burst = 64;

/** The most connections that wait, in all. */
constexpr rlim_t most_waiting = 4096;

} // namespace

Done ConnectionAcceptor::make() noexcept {
  user_ = ::geteuid();
  if (auto const kept = acceptor_.keep_spare(); !kept || !keeps_waiting()) return kept;
  struct rlimit descriptors;
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) < 0) return failed("read the limit of descriptors");
  auto const half = static_cast<uint32_t>(std::min<rlim_t>(descriptors.rlim_cur / 2, most_waiting));
  return context_.waiting.make(context_.options.wait, std::max(half, 1U));
}

bool ConnectionAcceptor::may_start(ConnectionHandler const &handler) noexcept {
  return !context_.counts.full() && !context_.children.pause().is_on() && !handler.is_stuck() && !context_.starter.gave_up() &&
         context_.starter.may_start();
}

bool ConnectionAcceptor::may_accept(ConnectionHandler const &handler) noexcept {
  if (!keeps_waiting()) return may_start(handler);
  return !context_.children.pause().is_on() && !context_.starter.gave_up();
}

bool ConnectionAcceptor::is_privileged(ClientKey const &client) const noexcept {
  return client == ClientKey::of_user(0) || client == ClientKey::of_user(user_);
}

/** Whether the limits of a client, and the places that it has to leave to others, allow one more connection of it. */
bool ConnectionAcceptor::may_have_one_more(ClientKey const &client) const noexcept {
  auto const &options = context_.options;
  Places const places = {options.most, context_.counts.count()};
  if (client.kind == ClientKey::unknown) return places.free() > 0;
  uint32_t const count = context_.counts.count_of(client);
  if (keeps_waiting() && is_privileged(client)) return places.free() > 0;
  if (count >= options.most_of_one) return false;
  if (!keeps_waiting()) return true;
  return places.has_share_for(count, client.kind == ClientKey::user ? places.reserve() : 0);
}

Done ConnectionAcceptor::accept_some(ServedSocket &socket, ConnectionHandler &handler, bool closing) noexcept {
  // Connect to the worker before accepting a connection for it. When the socket is closing, accept first, so that no worker is
  // started if the queue is empty.
  if (!closing && !handler.get_ready()) return {};
  start_waiting(handler);
  for (int i = 0; i < burst && socket.fd >= 0 && may_accept(handler); ++i) {
    Accepted accepted = acceptor_.accept(socket.fd);
    switch (accepted.kind) {
      case Accepted::Kind::connection: admit({std::move(accepted.fd), &socket, accepted.peer}, handler); break;
      case Accepted::Kind::excess:
        context_.refuser.refuse(accepted.fd.get(), "out of resources");
        context_.log.refused_for(accepted.code);
        break;
      case Accepted::Kind::aborted: break;
      case Accepted::Kind::empty:
        if (closing) socket.fd = -1;
        return {};
      case Accepted::Kind::paused: context_.log.not_accepted(accepted.code); return {};
      case Accepted::Kind::broken:
        // accept(2) on a Unix socket that was shut down fails with EINVAL when the queue is empty.
        if (!closing || accepted.code != EINVAL) return failed("accept connections on", accepted.code);
        socket.fd = -1;
    }
  }
  return {};
}

void ConnectionAcceptor::admit(AcceptedConnection connection, ConnectionHandler &handler) noexcept {
  if (auto const identified = connection.identify(context_.options.credentials, context_.options.prefixes); !identified)
    return refuse_unknown(connection, identified.error());
  auto &children = context_.children;
  if (!may_have_one_more(connection.client) && children.sweep_left() >= 0)
    children.reap([&](pid_t child, int status) noexcept { handler.child_ended(child, status); });
  // Those of the client that wait already come first.
  bool const starts = may_have_one_more(connection.client) && !context_.waiting.count_of(connection.client);
  if (!keeps_waiting()) return starts ? start(std::move(connection), handler) : deny(connection, "too many connections");
  return starts && may_start(handler) ? start(std::move(connection), handler) : let_wait(std::move(connection));
}

/** Refuses a connection whose client the kernel does not report. */
void ConnectionAcceptor::refuse_unknown(AcceptedConnection const &connection, SysError error) noexcept {
  context_.log.failure(error, "a connection");
  context_.refuser.refuse(connection.fd.get(), "unknown");
}

void ConnectionAcceptor::start(AcceptedConnection &&connection, ConnectionHandler &handler) noexcept {
  auto const *banner = context_.options.banner;
  connection.number = context_.counts.count_of(connection.client) + 1;
  context_.environment.describe(connection);
  if (banner) sys::send(connection.fd.get(), banner, strlen(banner), MSG_NOSIGNAL | MSG_DONTWAIT);
  handler.take(std::move(connection));
}

void ConnectionAcceptor::let_wait(AcceptedConnection &&connection) noexcept {
  context_.log.waiting(connection.peer_text().view());
  auto left_over = context_.waiting.add(std::move(connection), [this](auto const &one) noexcept { return is_privileged(one); });
  if (!left_over) return;
  // It may be another client's, which the queue does not keep.
  if (!left_over->is_client_known()) (void)left_over->identify(context_.options.credentials, context_.options.prefixes);
  deny(*left_over, "too many waiting connections");
}

void ConnectionAcceptor::deny(AcceptedConnection const &connection, std::string_view what) noexcept {
  bool const is_local = connection.socket->is_local(),
             is_network = !is_local && !(connection.client == connection.whole_client());
  context_.log.denied(connection.peer_text().view(), context_.counts.count_of(connection.client),
                      is_network ? connection.client : ClientKey());
  Text<64> const reason = Text<64>(what) << (is_local ? " of one user" : is_network ? " from one network" : " from one address");
  context_.refuser.refuse(connection.fd.get(), reason.view());
}

void ConnectionAcceptor::start_waiting(ConnectionHandler &handler) noexcept {
  while (context_.waiting.count() && may_start(handler) && handler.get_ready()) {
    auto next = context_.waiting.take([this](auto const &client) noexcept { return may_have_one_more(client); });
    if (!next) return;
    if (auto const identified = next->identify(context_.options.credentials, context_.options.prefixes); identified)
      start(std::move(*next), handler);
    else refuse_unknown(*next, identified.error());
  }
}

void ConnectionAcceptor::refuse_waiting() noexcept {
  while (auto const next = context_.waiting.take([](ClientKey const &) noexcept { return true; }))
    context_.refuser.refuse(next->fd.get(), "the server ends");
}

} // namespace pm::super
