#include <fcntl.h>
#include <pm/base/connect.h>
#include <pm/base/stream.h>

namespace pm {

namespace {

constexpr char const *doing = "connect to";

/** A connection in the making is waited for with poll, connect(2); signals do not disturb it. */
Done finish(int socket, Deadline deadline, int stop) noexcept {
  if (auto const made = wait_for(socket, POLLOUT, deadline, stop); !made) return failed(doing, made.error().code);
  int code = 0;
  socklen_t size = sizeof code;
  if (sys::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) < 0) return failed(doing);
  if (code) return failed(doing, code);
  return {};
}

} // namespace

Result<Fd> connect_to(SocketAddress const &to, int type, SocketAddress const *from, Deadline deadline, int stop) noexcept {
  if (to.is_local()) {
    auto const made_up = LocalName::made_up();
    return connect_local(to.local().text(), deadline, type,
                         from                 ? &from->local().name()
                         : type == SOCK_DGRAM ? &made_up
                                              : nullptr);
  }
  Fd socket(sys::socket(to.family(), to.type() | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return failed(doing);
  int const yes = 1;
  // A port to come from may have been come from before.
  if (from && (sys::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
               sys::bind(socket.get(), from->name(), from->size()) < 0))
    return failed("bind, to connect to");
  if (sys::connect(socket.get(), to.name(), to.size()) < 0) {
    if (errno != EINPROGRESS && errno != EINTR) return failed(doing);
    if (auto const made = finish(socket.get(), deadline, stop); !made) return fail(made);
  }
  int const flags = sys::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || sys::fcntl(socket.get(), F_SETFL, flags & ~O_NONBLOCK) < 0) return failed(doing);
  return socket;
}

Result<Fd> connect_to(Address const &address, Deadline deadline, int stop) noexcept {
  if (address.netid() == Netid::local) return connect_local_or_stop(address.path(), deadline, stop);
  if (address.netid() != Netid::tcp && address.netid() != Netid::tcp6) return failed(doing, EPROTONOSUPPORT);
  return connect_to(SocketAddress::destination(address), SOCK_STREAM, nullptr, deadline, stop);
}

} // namespace pm
