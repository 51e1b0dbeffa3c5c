#include "libpm/net/accept.h"

#include <fcntl.h>

namespace pm {

namespace {

using Kind = Accepted::Kind;

Fd open_null() noexcept {
  return Fd(sys::openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC));
}

Kind kind_of(int code) noexcept {
  switch (code) {
    case EAGAIN: return Kind::empty;
    // accept(2), "Error handling": for IP, it also reports network errors that are pending on the new socket.
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EINTR:
    case ECONNABORTED:
    case EPROTO: return Kind::aborted;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EOPNOTSUPP: return Kind::broken;
    default: return Kind::paused;
  }
}

} // namespace

Done Acceptor::keep_spare() noexcept {
  keeps_spare_ = true;
  spare_ = open_null();
  if (!spare_.valid()) return failed("open /dev/null");
  return {};
}

Accepted Acceptor::accept_once(int socket) const noexcept {
  Accepted result{Kind::connection, 0, {}, {}};
  socklen_t size = SockAddr::room_size;
  result.fd.reset(sys::accept4(socket, result.peer.room(), &size, flags_));
  if (result.fd.valid()) {
    result.peer.set_size(size);
  } else {
    result.code = errno;
    result.kind = kind_of(errno);
  }
  return result;
}

Accepted Acceptor::accept(int socket, Callback<bool()> make_room) noexcept {
  // The server has closed the last refused connection by now, so its number is free for the spare.
  if (keeps_spare_ && !spare_.valid()) spare_ = open_null();
  Accepted result = accept_once(socket);
  while (is_exhaustion(result.code) && make_room()) result = accept_once(socket);
  if (is_exhaustion(result.code) && spare_.valid()) {
    int const code = result.code;
    spare_.reset();
    result = accept_once(socket);
    result.code = code;
    if (result.kind == Kind::connection) result.kind = Kind::excess;
    // Without a free descriptor, accept(2) fails before it looks at the queue, so the queue may have been empty before.
    else if (result.kind == Kind::empty) spare_ = open_null();
  }
  if (result.kind == Kind::paused) pause_.begin();
  return result;
}

} // namespace pm
