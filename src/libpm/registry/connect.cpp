#include <pm/registry/connect.h>

#include <pm/base/connect.h>
#include <pm/base/listener_at.h>
#include <pm/base/peer.h>
#include <pm/base/process.h>

namespace pm::registry {

namespace {

/** Whether a server that user `uid` runs may be at an instance's address. */
Result<bool> may_serve(Instance const &instance, uid_t uid) noexcept {
  if (instance.owner == unnamed_owner || instance.owner == owner_name(uid).view()) return true;
  // The registered process may have become another user since, as it does under s6-setuidgid.
  auto const now = effective_user(instance.record.pid);
  auto const start = start_time(instance.record.pid);
  return now && start && *start == instance.record.start && *now == uid;
}

Done believe(Instance const &instance, Result<uid_t> const &uid) noexcept {
  if (!uid) return fail(uid);
  auto const fits = may_serve(instance, *uid);
  if (!fits) return fail(fits);
  return *fits ? Done() : failed(not_believed, EPERM);
}

/** Of an address of another host nothing can be said, and nothing is. */
Done believe_listener(Instance const &instance, Address const &address) noexcept {
  auto const uid = listener_at(address);
  if (!uid) return failed("connect to", uid.error().code == ENOENT ? ECONNREFUSED : uid.error().code);
  return *uid ? believe(instance, **uid) : Done();
}

Result<Fd> reach(Instance const &instance, Address const &address, Deadline deadline, int stop) noexcept {
  bool const internet = address.netid() != Netid::local;
  // Before and after: who listens may change in between, and the connection is to one or the other.
  if (internet)
    if (auto const believed = believe_listener(instance, address); !believed) return fail(believed);
  auto socket = connect_to(address, deadline, stop);
  if (!socket) return socket;
  if (internet) {
    if (auto const believed = believe_listener(instance, address); !believed) return fail(believed);
    return socket;
  }
  auto const peer = peer_of(socket->get());
  auto const believed = believe(instance, peer ? Result<uid_t>(peer->uid) : fail(peer));
  if (!believed) return fail(believed);
  return socket;
}

} // namespace

Result<std::optional<Reached>> connect(Registry const &registry, Query const &query, Deadline deadline, int stop,
                                       Instances &found) noexcept {
  if (auto const looked = lookup(registry, query, found); !looked) return fail(looked);
  std::optional<SysError> last;
  for (size_t i = 0; i < found.size(); ++i) {
    auto const instance = found[i];
    auto const address = Address::parse(instance.record.address);
    if (!address) return failed("read a record", EBADMSG);
    if (address->netid() != Netid::tcp && address->netid() != Netid::tcp6 && address->netid() != Netid::local) continue;
    auto socket = reach(instance, *address, deadline, stop);
    if (socket) return Reached{static_cast<Fd &&>(*socket), i, *address};
    last = socket.error();
    int const code = socket.error().code;
    if (code == ECANCELED || deadline.remaining() == 0) return failed("connect to", code == ECANCELED ? code : ETIMEDOUT);
  }
  if (last) return failed(last->doing, last->code);
  return std::nullopt;
}

} // namespace pm::registry
