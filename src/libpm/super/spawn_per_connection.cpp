#include "libpm/super/spawn_per_connection.h"

#include <algorithm>
#include "libpm/os/blocking.h"

namespace pm::super {

std::optional<pid_t> SpawnPerConnection::start(int fd, ClientKey const &client, ClientKey const &whole) noexcept {
  auto const child = context_.starter.start(context_.environment.all(), {{fd, 0}, {fd, 1}});
  if (child) children_.insert(*child, {context_.counts.add(client), whole});
  return child;
}

void SpawnPerConnection::take(AcceptedConnection &&connection) noexcept {
  auto const child = start(connection.fd.get(), connection.client, connection.whole_client());
  if (!child) return context_.refuser.refuse(connection.fd.get(), "unable to start a program");
  context_.log.allowed(connection.peer_text().view(), *child, connection.number, connection.is_client_known());
}

/** Whether the program that has just ended, or has not started, left its datagram unread. Discards the datagram after too many. */
bool SpawnPerConnection::left_unread(ServedSocket &socket) noexcept {
  auto const next = FirstDatagram::look(socket.fd);
  if (!next || !socket.first || !next->is_same(*socket.first)) {
    socket.unread_starts = 0;
    socket.is_discard_logged = false;
    return false;
  }
  if (++socket.unread_starts < unread_starts_max) return true;
  socket.unread_starts = 0;
  FirstDatagram::discard(socket.fd);
  if (!socket.is_discard_logged) context_.log.discarded(socket.address, next->sender, unread_starts_max);
  socket.is_discard_logged = true;
  return true;
}

void SpawnPerConnection::take_datagrams(ServedSocket &socket) noexcept {
  context_.environment.describe(socket);
  socket.first = FirstDatagram::look(socket.fd);
  // Each time: the program before may have changed the mode.
  auto const set = set_blocking(socket.fd, context_.options.blocking);
  if (!set) context_.log.failure(set.error(), "a datagram socket");
  bool const known = std::find(datagram_sockets_.begin(), datagram_sockets_.end(), &socket) != datagram_sockets_.end();
  bool const fits = known || datagram_sockets_.append(&socket);
  auto const child = set && fits ? start(socket.fd, ClientKey::of_unknown(), ClientKey::of_unknown()) : std::nullopt;
  if (!child) {
    (void)left_unread(socket);
    return context_.children.pause().begin();
  }
  socket.program = *child;
  context_.log.started_on_datagrams(*child);
}

void SpawnPerConnection::child_ended(pid_t child, int status) noexcept {
  uint32_t const number = children_.find(child);
  if (number == children_.none) return;
  Served const served = children_.value(number);
  children_.remove(number);
  bool unread = false;
  for (ServedSocket *const socket : datagram_sockets_) {
    if (socket->program != child) continue;
    socket->program = 0;
    unread = left_unread(*socket);
  }
  context_.counts.remove(served.client);
  context_.starter.program_ended(status, unread);
  context_.log.ended(child, served.whole, status);
}

void SpawnPerConnection::send_signal(int signal) const noexcept {
  // These pids belong to these children: the kernel does not reuse a pid before this process has waited for the child.
  children_.each_key([=](pid_t child) noexcept { sys::kill(child, signal); });
}

} // namespace pm::super
