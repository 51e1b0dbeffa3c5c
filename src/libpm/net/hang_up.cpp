#include "libpm/net/hang_up.h"

#include <sys/socket.h>
#include "libpm/os/sys.h"

namespace pm {

void hang_up(int connection) noexcept {
  // No more bytes come to a Unix socket after this, so that none can come between the last read and the close.
  sys::shutdown(connection, SHUT_RDWR);
  char unread[16384];
  struct iovec part = {unread, sizeof unread};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  // A sender with the default buffer of 208 KB has room for about 280 messages of one byte.
  constexpr int reads_max = 512;
  constexpr ssize_t bytes_max = 1 << 20;
  ssize_t bytes = 0;
  for (int i = 0; i < reads_max && bytes < bytes_max; ++i) {
    // Without room for control messages, MSG_CTRUNC tells of descriptors, and a call that only peeks closes none.
    header.msg_flags = 0;
    if (sys::recvmsg(connection, &header, MSG_DONTWAIT | MSG_PEEK) <= 0 || header.msg_flags & MSG_CTRUNC) return;
    ssize_t const n = sys::recvmsg(connection, &header, MSG_DONTWAIT);
    if (n <= 0) return;
    bytes += n;
  }
}

} // namespace pm
