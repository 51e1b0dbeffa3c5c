#include "libpm/handover/handover.h"

#include <unistd.h>
#include "libpm/net/connect.h"
#include "libpm/net/ucspi.h"
#include "libpm/os/fd_variables.h"

namespace pm::handover {

Result<Identity> own_identity() noexcept {
  constexpr char const *doing = "describe the client of";
  Identity identity;
  auto const protocol = ucspi::own_protocol();
  if (protocol.empty()) return identity;
  size_t size = 0;
  for (bool const first : {true, false})
    for (char const *const *variable = environ; *variable; ++variable) {
      std::string_view const text = *variable;
      if (first ? ucspi::protocol_in(text).empty() : !ucspi::belongs(text, protocol)) continue;
      size += text.size() + 1;
      if (size > identity_max || identity.elements.size() == 64) return failed(doing, E2BIG);
      if (!identity.elements.append(xdr::String<identity_max>(text))) return failed(doing, ENOMEM);
    }
  return identity;
}

bool is_identity(Identity const &identity) noexcept {
  if (identity.elements.empty()) return true;
  auto const protocol = ucspi::protocol_in(identity.elements[0]);
  // A protocol's name is in capitals, because the names of its variables begin with it.
  for (char const c : protocol)
    if (!((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))) return false;
  size_t size = 0;
  for (size_t i = 0; i < identity.elements.size(); ++i) {
    std::string_view const variable = identity.elements[i];
    size += variable.size() + 1;
    if ((i > 0 && !ucspi::belongs(variable, protocol)) || variable.find('\0') != std::string_view::npos) return false;
  }
  return !protocol.empty() && size <= identity_max;
}

void apply(Identity const &identity, Environment &environment) noexcept {
  forget_wrong_fds(environment, 0, 2);
  ucspi::forget(environment, identity.elements.empty() ? "" : ucspi::protocol_in(identity.elements[0]));
  for (auto const &variable : identity.elements) {
    auto const [head, value, found] = cut(variable, '=');
    Text<identity_max + 1> const name(head);
    environment.set(name.c_str(), value);
  }
}

Result<Fd> connect_worker(SockAddr const &name, Limit limit, ServerUsers const &trusted,
                          std::optional<uid_t> &stranger) noexcept {
  // A worker's socket is of one of three types, and connect(2) fails with this error for another type. Each type has its own
  // abstract names, so a stranger may have the name for one of them.
  int const other_kind = name.is_abstract() ? ECONNREFUSED : EPROTOTYPE;
  stranger.reset();
  for (int const type : {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM}) {
    auto connected = connect_to(name, type, nullptr, limit);
    if (!connected && connected.error().code == other_kind && type != SOCK_DGRAM) continue;
    if (!connected) return stranger ? Result<Fd>(failed("connect to", EPERM)) : std::move(connected);
    auto const found = trusted.stranger_at(connected->get());
    if (!found) return fail(found);
    if (!*found) return (stranger.reset(), std::move(connected));
    stranger = *found;
    if (!name.is_abstract()) break;
  }
  return failed("connect to", EPERM);
}

Result<std::optional<Text<256>>> hand_over(int worker, int descriptor, Identity const &identity, Limit limit) noexcept {
  constexpr char const *doing = "hand a descriptor to";
  message::Channel connection(worker, worker, hand_over_protocol);
  Offer offer;
  if (!offer.identity.elements.append({identity.elements.begin(), identity.elements.size()})) return failed(doing, ENOMEM);
  Lent const lent(offer.descriptor, descriptor);
  // A worker that refuses without reading closes the connection, maybe before the offer is sent. Its reason can still be read.
  if (auto const sent = connection.send(offer, limit); !sent && sent.error().code != EPIPE && sent.error().code != ECONNRESET)
    return failed(doing, sent.error().code);
  auto received = connection.receive(limit);
  // A seqpacket socket reports ECONNRESET for the unread offer before it gives the worker's answer.
  if (!received && received.error().code == ECONNRESET)
    if (auto const said = connection.receive_now(); said) received = said;
  if (!received) return failed(doing, received.error().code);
  if (!*received) return failed(doing, ECONNRESET);
  message::Finished taken;
  message::Refused refused;
  auto &answer = **received;
  if (answer.is(taken)) return std::nullopt;
  if (!answer.is(refused)) return failed(doing, EPROTO);
  if (refused.status == Status::exhausted) return failed(doing, EAGAIN);
  return Text<256>(refused.reason());
}

} // namespace pm::handover
