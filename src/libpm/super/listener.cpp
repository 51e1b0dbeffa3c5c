#include <fcntl.h>
#include <pm/super/listener.h>

namespace pm::super {

namespace {
bool is_wildcard(SocketName const &name) noexcept {
  if (name.any.sa_family == AF_INET) return name.v4.sin_addr.s_addr == INADDR_ANY;
  return IN6_IS_ADDR_UNSPECIFIED(&name.v6.sin6_addr);
}
} // namespace

Result<Listener> Listener::adopt(int fd, std::string_view name) noexcept {
  constexpr char const *doing = "find a socket that listens on";
  Listener listener;
  listener.fd = fd;
  listener.name = name;
  auto const option = [fd](int which, int &value) noexcept {
    socklen_t size = sizeof value;
    return sys::getsockopt(fd, SOL_SOCKET, which, &value, &size) == 0;
  };
  int type = 0, listens = 0;
  if (!option(SO_TYPE, type) || !option(SO_ACCEPTCONN, listens)) return failed(doing);
  listener.datagrams = type == SOCK_DGRAM;
  if (!listens && !listener.datagrams) return failed(doing, EINVAL);
  SocketName own = {};
  socklen_t size = sizeof own;
  if (sys::getsockname(fd, &own.any, &size) < 0) return failed(doing);
  listener.family = own.any.sa_family;
  if (listener.is_local()) {
    listener.path << text_of(own, size).view();
  } else {
    if (listener.family != AF_INET && listener.family != AF_INET6) return failed(doing, EAFNOSUPPORT);
    listener.ip = ip_of(own);
    // An unbound one is given no datagrams; a wildcard's connections have the address that they came to.
    if (listener.datagrams && listener.ip.port == 0) return failed(doing, EINVAL);
    if (is_wildcard(own) && !listener.datagrams) listener.ip = {};
  }
  int const flags = sys::fcntl(fd, F_GETFL);
  if (flags < 0 || sys::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || sys::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
    return failed("prepare");
  return listener;
}

} // namespace pm::super
