#include "libpm/registry/connect.h"

#include "libpm/net/connect.h"
#include "libpm/net/peer.h"
#include "libpm/net/server_users.h"
#include "libpm/net/sock_diag.h"
#include "libpm/os/overflow_user.h"
#include "libpm/os/process.h"

namespace pm::registry {

namespace {

/** Tries the registrations that a lookup returned. */
class Connector {
 public:
  Connector(Tree const &tree, LookupQuery const &query, Limit limit) noexcept : trust_(tree, query.trust), limit_(limit) {}

  [[nodiscard]] tl::expected<Fd, ConnectFailure> reach(LiveRegistrations const &found, size_t i,
                                                       Address const &address) noexcept {
    bool const internet = address.netid() != Netid::local;
    // The listener may change meanwhile, and the connection is to the old one or the new one: check both.
    if (internet)
      if (auto const verified = verify_listener(found, i, address); !verified) return fail(verified);
    auto socket = connect_to(address, limit_);
    if (!socket) return failure(socket.error());
    auto const verified = internet ? verify_listener(found, i, address) : verify_peer(found, i, socket->get());
    if (!verified) return fail(verified);
    return static_cast<Fd &&>(*socket);
  }

 private:
  using Verified = tl::expected<void, ConnectFailure>;
  static tl::unexpected<ConnectFailure> failure(SysError error) noexcept { return tl::unexpected<ConnectFailure>(error); }

  /** Whether a server that user `uid` runs may be at a registration's address. */
  [[nodiscard]] bool trusts(uid_t uid, Record const &record) const noexcept {
    if (is_trusted_user(uid, trust_.uids())) return true;
    if (is_overflow_user(uid)) return false;
    // The registered process may have become another user since, as it does under s6-setuidgid.
    auto const now = effective_user(record.pid);
    auto const start = start_time(record.pid);
    return now && start && *start == record.start && *now == uid;
  }

  Verified verify(LiveRegistrations const &found, size_t i, uid_t uid) const noexcept {
    if (trusts(uid, found[i].record)) return {};
    return tl::unexpected<ConnectFailure>(UntrustedServer{i, uid});
  }

  Verified verify_peer(LiveRegistrations const &found, size_t i, int socket) const noexcept {
    if (trust_.is_anyone()) return {};
    auto const peer = peer_credentials(socket);
    return peer ? verify(found, i, peer->uid) : failure(peer.error());
  }

  /** Accepts an address of another host: there is nothing to check. */
  Verified verify_listener(LiveRegistrations const &found, size_t i, Address const &address) const noexcept {
    if (trust_.is_anyone()) return {};
    auto const uid = listener_at(address);
    if (!uid) return failure({uid.error().code == ENOENT ? ECONNREFUSED : uid.error().code, "connect to"});
    return *uid ? verify(found, i, **uid) : Verified();
  }

  TrustedUids trust_;
  Limit limit_;
};

tl::unexpected<ConnectFailure> failed_with(int code, char const *doing) noexcept {
  return tl::unexpected<ConnectFailure>(SysError{code, doing});
}

} // namespace

Text<512> explain(UntrustedServer const &server, LiveRegistration const &registration) noexcept {
  Text<512> text("the server at ");
  text << registration.record.address << " runs as uid " << server.uid;
  if (is_overflow_user(server.uid)) text << ", which stands for every user that this user namespace does not map";
  else text << ", and the registration is of uid " << registration.owner;
  auto const start = start_time(registration.record.pid);
  if (!start && is_hidden_process(start.error())) text << ", whose process is not visible: " << why_hidden();
  return text;
}

tl::expected<std::optional<Reached>, ConnectFailure> connect(Tree const &tree, LookupQuery const &query, Limit limit,
                                                             LiveRegistrations &found) noexcept {
  if (auto const looked = lookup(tree, query, found); !looked) return failed_with(looked.error().code, looked.error().doing);
  Connector connector(tree, query, limit);
  std::optional<ConnectFailure> last;
  for (size_t i = 0; i < found.size(); ++i) {
    auto const address = Address::parse(found[i].record.address);
    if (!address) return failed_with(EBADMSG, "read a record");
    if (address->netid() != Netid::tcp && address->netid() != Netid::tcp6 && address->netid() != Netid::local) continue;
    auto socket = connector.reach(found, i, *address);
    if (socket) return Reached{static_cast<Fd &&>(*socket), i, *address};
    last = socket.error();
    auto const *error = std::get_if<SysError>(&socket.error());
    if (error && error->code == ECANCELED) return failed_with(ECANCELED, "connect to");
    if (limit.deadline.remaining() == 0) return failed_with(ETIMEDOUT, "connect to");
  }
  if (last) return tl::unexpected<ConnectFailure>(*last);
  return std::nullopt;
}

} // namespace pm::registry
