#include "libpm/net/server_users.h"

#include <unistd.h>
#include <algorithm>
#include "libpm/net/peer.h"
#include "libpm/net/sock_diag.h"
#include "libpm/os/overflow_user.h"
#include "libpm/os/sys.h"

namespace pm {

bool is_trusted_user(uid_t user, std::span<uid_t const> others) noexcept {
  bool const is_known = user == 0 || user == ::geteuid() || std::find(others.begin(), others.end(), user) != others.end();
  return is_known && !is_overflow_user(user);
}

Result<std::optional<uid_t>> ServerUsers::stranger_at(int socket) const noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  if (sys::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return failed("get the type of");
  uid_t user;
  // A datagram socket has no SO_PEERCRED, unix(7).
  if (type == SOCK_DGRAM) {
    auto const owner = datagram_peer_owner(socket);
    if (!owner) return fail(owner);
    user = *owner;
  } else {
    auto const peer = peer_credentials(socket);
    if (!peer) return fail(peer);
    user = peer->uid;
  }
  if (has(user)) return std::nullopt;
  return user;
}

Text<192> explain_stranger(uid_t user) noexcept {
  Text<192> text("the server runs as uid ");
  text << user;
  if (is_overflow_user(user)) text << ", which stands for every user that this user namespace does not map";
  else if (::geteuid() == 0) text << ", which is not root or a user of -u";
  else text << ", which is not root, uid " << ::geteuid() << " or a user of -u";
  return text;
}

} // namespace pm
