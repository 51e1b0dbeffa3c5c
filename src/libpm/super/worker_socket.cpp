#include <pm/super/worker_socket.h>

#include <fcntl.h>
#include <pm/base/say.h>

namespace pm::super {

WorkerSocket WorkerSocket::argument(Options const &options, std::string_view address, BindOptions const &binding) noexcept {
  WorkerSocket socket;
  if (address.starts_with("fd:")) {
    auto const n = number<int>(cut(address, ':').tail);
    if (!n) options.refuse((Text<512>("not an address: ") << address).view());
    int const flags = sys::fcntl(*n, F_GETFL);
    if (flags < 0 || sys::fcntl(*n, F_SETFL, flags | O_NONBLOCK) < 0 || sys::fcntl(*n, F_SETFD, FD_CLOEXEC) < 0)
      die_sys({errno, "take descriptors from"}, address);
    socket.bound.fd.reset(*n);
    return socket;
  }
  socket.name = LocalAddress::argument(options, address);
  auto made = bind_local(*socket.name, binding);
  if (!made) die_sys(made.error(), socket.name->text());
  socket.bound = static_cast<BoundSocket &&>(*made);
  return socket;
}

} // namespace pm::super
