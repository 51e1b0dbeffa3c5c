// Clients that somebody else has accepted: pm-superd -w.

#include <pm/base/say.h>
#include <pm/fdstore/server.h>
#include <unistd.h>

namespace pm::fdstore {

using fdpass::NotTaken;
using fdpass::Offer;
using fdpass::Taken;

void Server::add_offerer(Fd connected) noexcept {
  auto const peer = peer_of(connected.get());
  bool const believed = peer && (peer->uid == 0 || peer->uid == ::geteuid());
  for (auto &place : offerers_) {
    if (place || !believed) continue;
    place = make_box<Offerer>(std::move(connected));
    return;
  }
  message::Channel stranger(connected.get(), connected.get());
  (void)!stranger.send(NotTaken{std::string_view("offers are taken from root and from my own user, four at a time")},
                       Deadline::passed());
  if (!believed) warn("refused who may not offer connections");
}

bool Server::serve(Offerer &offerer) noexcept {
  // One at a time: the next waits until it is known whether there is room.
  auto const received = offerer.channel.receive_ahead();
  if (!received) return received.error().code == EAGAIN || received.error().code == EINTR;
  if (!*received) return false;
  Offer offer;
  if (!(*received)->is(offer) || !offer.descriptor.valid()) return false;
  // Who that is says the kernel, whatever the offer does.
  admit(std::move(offer.descriptor));
  return offerer.channel.send(Taken{}, Deadline::passed()).has_value();
}

} // namespace pm::fdstore
