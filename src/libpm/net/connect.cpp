#include "libpm/net/connect.h"

#include <fcntl.h>
#include <algorithm>
#include "libpm/net/scope.h"
#include "libpm/os/blocking.h"
#include "libpm/os/retry.h"
#include "libpm/os/stream.h"
#include "libpm/os/sys.h"

namespace pm {

namespace {

constexpr char const *doing = "connect to";

/** Waits with poll(2) for a connection in progress, as connect(2) describes. A signal does not interrupt that. */
Done finish(int socket, Limit limit) noexcept {
  if (auto const made = wait_for(socket, POLLOUT, limit); !made) return failed(doing, made.error().code);
  int code = 0;
  socklen_t size = sizeof code;
  if (sys::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) < 0) return failed(doing);
  if (code) return failed(doing, code);
  return {};
}

Result<Fd> connect_unix(SockAddr const &to, int type, SockAddr const *from, Limit limit) noexcept {
  Fd socket(sys::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return failed(doing);
  if (from && sys::bind(socket.get(), from->get(), from->size()) < 0) return failed("bind a socket to connect to");
  for (;;) {
    // While the queue is full, connect(2) itself waits, up to SO_SNDTIMEO, socket(7). poll(2) does not report room in the queue.
    int ms = limit.deadline.remaining();
    if (ms == 0) return failed(doing, ETIMEDOUT);
    if (limit.stop >= 0) ms = ms < 0 ? stop_slice_ms : std::min(ms, stop_slice_ms);
    struct timeval const left = {ms < 0 ? 0 : ms / 1000, ms < 0 ? 0 : ms % 1000 * 1000};
    if (sys::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left) < 0) return failed(doing);
    if (sys::connect(socket.get(), to.get(), to.size()) == 0) break;
    if (errno != EINTR && errno != EAGAIN) return failed(doing);
    if (is_ready(limit.stop).value_or(false)) return failed(doing, ECANCELED);
  }
  struct timeval const never = {};
  if (sys::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &never, sizeof never) < 0) return failed(doing);
  return socket;
}

} // namespace

Result<Fd> connect_local(std::string_view path, Limit limit, int type, SockAddr const *from) noexcept {
  auto const to = SockAddr::of_path(path);
  if (!to) return fail(to);
  return connect_unix(*to, type, from, limit);
}

Result<Fd> await_server(char const *path, Limit limit, Callback<Result<Fd>()> connect) noexcept {
  for (Retry retry(AT_FDCWD, path);;) {
    auto connected = connect();
    int const code = connected ? 0 : connected.error().code;
    if (code != ENOENT && code != ECONNREFUSED) return connected;
    if (auto const waited = retry.wait(code, limit); !waited) return failed(connected.error().doing, waited.error().code);
  }
}

Result<Fd> connect_to(SockAddr const &to, int type, SockAddr const *from, Limit limit) noexcept {
  if (to.is_local()) {
    auto const made_up = SockAddr::made_up();
    return connect_unix(to, type, from ? from : type == SOCK_DGRAM ? &made_up : nullptr, limit);
  }
  // connect(2) would report that the network is unreachable.
  if (to.scope() == no_interface) return failed(doing, ENODEV);
  Fd socket(sys::socket(to.family(), to.type() | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return failed(doing);
  int const yes = 1;
  // An earlier connection may have used the port of `from`.
  if (from && (sys::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
               sys::bind(socket.get(), from->get(), from->size()) < 0))
    return failed("bind a socket to connect to");
  if (sys::connect(socket.get(), to.get(), to.size()) < 0) {
    if (errno != EINPROGRESS && errno != EINTR) return failed(doing);
    if (auto const made = finish(socket.get(), limit); !made) return fail(made);
  }
  if (auto const set = set_blocking(socket.get(), true); !set) return failed(doing, set.error().code);
  return socket;
}

Result<Fd> connect_to(Address const &address, Limit limit) noexcept {
  if (address.netid() == Netid::none || is_datagram(address.netid())) return failed(doing, EPROTONOSUPPORT);
  return connect_to(SockAddr::destination(address), SOCK_STREAM, nullptr, limit);
}

} // namespace pm
