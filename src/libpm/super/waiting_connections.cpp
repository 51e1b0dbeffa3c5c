#include "libpm/super/waiting_connections.h"

#include <utility>

namespace pm::super {

Done WaitingConnections::make(uint32_t most_of_one, uint32_t most) noexcept {
  most_of_one_ = most_of_one;
  most_ = most;
  // add() has one more for a moment.
  if (auto const made = clients_.make(most + 1); !made) return made;
  return places_.make(static_cast<size_t>(most) + 2) ? Done() : failed("allocate memory for connections", ENOMEM);
}

WaitingConnections::~WaitingConnections() {
  while (take([](ClientKey const &) noexcept { return true; })) {
  }
}

uint32_t WaitingConnections::count_of(ClientKey const &client) const noexcept {
  uint32_t const found = count_ ? clients_.find(client) : none; // without make() there is no table
  return found == none ? 0 : clients_.value(found).count;
}

/** The client's number. A new one gets its turn after all others. */
uint32_t WaitingConnections::join(ClientKey const &client) noexcept {
  uint32_t const found = clients_.find(client);
  if (found != none) return found;
  uint32_t const added = clients_.insert(client, {none, none, 0, none, none});
  if (turn_ == none) turn_ = added;
  auto &queue = clients_.value(added);
  auto &turn = clients_.value(turn_);
  queue.next = turn_;
  queue.previous = turn_ == added ? added : turn.previous;
  clients_.value(queue.previous).next = added;
  turn.previous = added;
  return added;
}

void WaitingConnections::leave(uint32_t client) noexcept {
  auto const &queue = clients_.value(client);
  if (turn_ == client) turn_ = queue.next == client ? none : queue.next;
  clients_.value(queue.previous).next = queue.next;
  clients_.value(queue.next).previous = queue.previous;
  clients_.remove(client);
}

void WaitingConnections::append(uint32_t client, AcceptedConnection &&connection) noexcept {
  uint32_t const place = free_ == none ? ++used_ : std::exchange(free_, places_[free_].next);
  places_[place] = {connection.fd.release(), connection.socket, connection.peer, none};
  auto &queue = clients_.value(client);
  (queue.count ? places_[queue.last].next : queue.first) = place;
  queue.last = place;
  ++queue.count;
  ++count_;
}

/** Frees a place that its queue does not contain any more. */
AcceptedConnection WaitingConnections::release(uint32_t client, uint32_t place) noexcept {
  AcceptedConnection connection{Fd(places_[place].fd), places_[place].socket, places_[place].peer};
  places_[place].next = std::exchange(free_, place);
  --count_;
  if (--clients_.value(client).count == 0) leave(client);
  return connection;
}

AcceptedConnection WaitingConnections::remove_first(uint32_t client) noexcept {
  auto &queue = clients_.value(client);
  uint32_t const place = std::exchange(queue.first, places_[queue.first].next);
  return release(client, place);
}

AcceptedConnection WaitingConnections::remove_last(uint32_t client) noexcept {
  auto &queue = clients_.value(client);
  if (queue.count == 1) return remove_first(client);
  uint32_t before = queue.first;
  while (places_[before].next != queue.last) before = places_[before].next;
  return release(client, std::exchange(queue.last, before));
}

uint32_t WaitingConnections::longest_queue(Callback<bool(ClientKey const &)> is_privileged) const noexcept {
  uint32_t found = none, most = 0;
  bool found_privileged = true;
  for (uint32_t client = turn_; client != none;) {
    uint32_t const count = clients_.value(client).count;
    bool const privileged = is_privileged(clients_.key(client));
    if (privileged < found_privileged || (privileged == found_privileged && count >= most)) {
      found = client;
      most = count;
      found_privileged = privileged;
    }
    client = clients_.value(client).next;
    if (client == turn_) break;
  }
  return found;
}

std::optional<AcceptedConnection> WaitingConnections::add(AcceptedConnection connection,
                                                          Callback<bool(ClientKey const &)> is_privileged) noexcept {
  if (count_of(connection.client) >= most_of_one_) return connection;
  append(join(connection.client), std::move(connection));
  if (count_ <= most_) return std::nullopt;
  return remove_last(longest_queue(is_privileged));
}

std::optional<AcceptedConnection> WaitingConnections::take(Callback<bool(ClientKey const &)> may_start) noexcept {
  uint32_t client = turn_;
  if (client == none) return std::nullopt;
  while (!may_start(clients_.key(client))) {
    client = clients_.value(client).next;
    if (client == turn_) return std::nullopt;
  }
  turn_ = clients_.value(client).next;
  return remove_first(client);
}

} // namespace pm::super
