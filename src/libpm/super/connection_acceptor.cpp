#include "libpm/super/connection_acceptor.h"

#include <string.h>

namespace pm::super {

namespace {

/** The most connections that are accepted before the loop looks at signals again. */
constexpr int burst = 64;

} // namespace

bool ConnectionAcceptor::may_accept(ConnectionHandler const &handler) noexcept {
  return !context_.counts.full() && !context_.children.pause().is_on() && !handler.is_stuck() && !context_.starter.gave_up() &&
         context_.starter.may_start();
}

Done ConnectionAcceptor::accept_some(ServedSocket &socket, ConnectionHandler &handler, bool closing) noexcept {
  // Connect to the worker before accepting a connection for it. When the socket is closing, accept first, so that no worker is
  // started if the queue is empty.
  if (!closing && !handler.get_ready()) return {};
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
  auto &[options, counts, children, log, starter, refuser, environment] = context_;
  int const fd = connection.fd.get();
  if (auto const identified = connection.identify(options.credentials); !identified) {
    log.failure(identified.error(), "a connection");
    return refuser.refuse(fd, "unknown");
  }
  uint32_t count = counts.count_of(connection.client);
  if (count >= options.most_of_one && children.sweep_left() >= 0) {
    children.reap([&](pid_t child, int status) noexcept { handler.child_ended(child, status); });
    count = counts.count_of(connection.client);
  }
  if (connection.is_client_known() && count >= options.most_of_one) {
    log.denied(connection.peer_text().view(), count);
    bool const is_local = connection.socket->is_local();
    return refuser.refuse(fd, is_local ? "too many connections of one user" : "too many connections from one address");
  }
  connection.number = count + 1;
  environment.describe(connection);
  if (options.banner) sys::send(fd, options.banner, strlen(options.banner), MSG_NOSIGNAL | MSG_DONTWAIT);
  handler.take(std::move(connection));
}

} // namespace pm::super
