#include "libpm/super/accepted_connection.h"

#include "libpm/net/peer.h"

namespace pm::super {

Done AcceptedConnection::identify(bool credentials_wanted, PrefixLengths lengths) noexcept {
  if (!socket->is_local()) {
    client = ClientKey::of_address(peer, lengths);
    local = socket->address;
    if (!local.is_wildcard()) return {};
    auto const own = SockAddr::of_socket(fd.get(), "get the local address of");
    if (!own) return fail(own);
    local = *own;
  } else if (credentials_wanted) {
    auto const who = peer_credentials(fd.get());
    if (!who) return fail(who);
    credentials = *who;
    client = ClientKey::of_user(credentials.uid);
  }
  return {};
}

Text<72> AcceptedConnection::peer_text() const noexcept {
  Text<72> text;
  if (client.kind == ClientKey::user) return text << credentials.uid << ':' << credentials.gid;
  if (client.kind == ClientKey::address) return text << peer.host().view() << ':' << peer.port();
  return text << "?:?";
}

} // namespace pm::super
