#include "libpm/super/served_socket.h"

#include "libpm/net/listen.h"

namespace pm::super {

Result<ServedSocket> ServedSocket::adopt(int fd, std::string_view name) noexcept {
  auto const address = adopt_socket(fd, "find a socket that listens on");
  if (!address) return fail(address);
  return ServedSocket{fd, *address, address->type() == SOCK_DGRAM, false, name};
}

} // namespace pm::super
