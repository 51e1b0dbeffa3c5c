#include <pm/base/connect.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <pm/base/local_socket.h>
#include <pm/base/stream.h>

namespace pm {

InternetName InternetName::of(Address const &address) noexcept {
  InternetName name = {};
  bool const v6 = address.netid() == Netid::tcp6 || address.netid() == Netid::udp6;
  auto const host = address.host();
  if (v6) {
    name.v6.sin6_family = AF_INET6;
    name.v6.sin6_port = htons(address.port());
    ::inet_pton(AF_INET6, host.c_str(), &name.v6.sin6_addr);
    name.size = sizeof name.v6;
  } else {
    name.v4.sin_family = AF_INET;
    name.v4.sin_port = htons(address.port());
    ::inet_pton(AF_INET, host.c_str(), &name.v4.sin_addr);
    name.size = sizeof name.v4;
  }
  return name;
}

Result<Fd> connect_to(Address const &address, Deadline deadline, int stop) noexcept {
  constexpr char const *doing = "connect to";
  if (address.netid() == Netid::local) return connect_local(address.path(), deadline, SOCK_STREAM, stop);
  if (address.netid() != Netid::tcp && address.netid() != Netid::tcp6) return failed(doing, EPROTONOSUPPORT);
  auto const name = InternetName::of(address);
  Fd socket(sys::socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.valid()) return failed(doing);
  if (sys::connect(socket.get(), &name.any, name.size) < 0) {
    if (errno != EINPROGRESS) return failed(doing);
    if (auto const ended = wait_for(socket.get(), POLLOUT, deadline, stop); !ended) return failed(doing, ended.error().code);
    int code = 0;
    socklen_t size = sizeof code;
    if (sys::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &code, &size) < 0) return failed(doing);
    if (code) return failed(doing, code);
  }
  int const flags = sys::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || sys::fcntl(socket.get(), F_SETFL, flags & ~O_NONBLOCK) < 0) return failed(doing);
  return socket;
}

} // namespace pm
