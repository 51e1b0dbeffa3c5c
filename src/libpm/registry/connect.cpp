#include "libpm/registry/connect.h"

#include "libpm/net/connect.h"
#include "libpm/net/peer.h"
#include "libpm/net/sock_diag.h"
#include "libpm/os/process.h"

namespace pm::registry {

namespace {

/** Whether a server that user `uid` runs may be at a registration's address. */
Result<bool> may_serve(LiveRegistration const &registration, uid_t uid) noexcept {
  if (registration.owner == unnamed_owner || registration.owner == owner_name(uid).view()) return true;
  // The registered process may have become another user since, as it does under s6-setuidgid.
  auto const now = effective_user(registration.record.pid);
  auto const start = start_time(registration.record.pid);
  return now && start && *start == registration.record.start && *now == uid;
}

Done verify_server(LiveRegistration const &registration, Result<uid_t> const &uid) noexcept {
  if (!uid) return fail(uid);
  auto const fits = may_serve(registration, *uid);
  if (!fits) return fail(fits);
  return *fits ? Done() : failed(not_trusted, EPERM);
}

/** Accepts an address of another host: there is nothing to check. */
Done verify_listener(LiveRegistration const &registration, Address const &address) noexcept {
  auto const uid = listener_at(address);
  if (!uid) return failed("connect to", uid.error().code == ENOENT ? ECONNREFUSED : uid.error().code);
  return *uid ? verify_server(registration, **uid) : Done();
}

Result<Fd> reach(LiveRegistration const &registration, Address const &address, Limit limit) noexcept {
  bool const internet = address.netid() != Netid::local;
  // The listener may change meanwhile, and the connection is to the old one or the new one: check both.
  if (internet)
    if (auto const verified = verify_listener(registration, address); !verified) return fail(verified);
  auto socket = connect_to(address, limit);
  if (!socket) return socket;
  if (internet) {
    if (auto const verified = verify_listener(registration, address); !verified) return fail(verified);
    return socket;
  }
  auto const peer = peer_of(socket->get());
  auto const verified = verify_server(registration, peer ? Result<uid_t>(peer->uid) : fail(peer));
  if (!verified) return fail(verified);
  return socket;
}

} // namespace

Result<std::optional<Reached>> connect(Tree const &tree, Query const &query, Limit limit, LiveRegistrations &found) noexcept {
  if (auto const looked = lookup(tree, query, found); !looked) return fail(looked);
  std::optional<SysError> last;
  for (size_t i = 0; i < found.size(); ++i) {
    auto const registration = found[i];
    auto const address = Address::parse(registration.record.address);
    if (!address) return failed("read a record", EBADMSG);
    if (address->netid() != Netid::tcp && address->netid() != Netid::tcp6 && address->netid() != Netid::local) continue;
    auto socket = reach(registration, *address, limit);
    if (socket) return Reached{static_cast<Fd &&>(*socket), i, *address};
    last = socket.error();
    int const code = socket.error().code;
    if (code == ECANCELED || limit.deadline.remaining() == 0) return failed("connect to", code == ECANCELED ? code : ETIMEDOUT);
  }
  if (last) return failed(last->doing, last->code);
  return std::nullopt;
}

} // namespace pm::registry
