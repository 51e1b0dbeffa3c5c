#include "libpm/super/client_refuser.h"

#include <sys/socket.h>
#include "libpm/os/sys.h"

namespace pm::super {

void ClientRefuser::refuse(int connection, std::string_view reason) noexcept {
  log_.count_refusal();
  if (!options_.tell) return;
  Text<128> const line = Text<128>(options_.name) << ": refused: " << reason << '\n';
  sys::send(connection, line.view().data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  sys::shutdown(connection, SHUT_WR);
  // If the client's bytes are unread at the close, the kernel resets the connection, and the client may lose the line.
  char unread[4096];
  struct iovec part = {unread, sizeof unread};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  constexpr int reads_max = 64;
  for (int i = 0; i < reads_max && sys::recvmsg(connection, &header, MSG_DONTWAIT) > 0; ++i) {
  }
}

} // namespace pm::super
