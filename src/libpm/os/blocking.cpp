#include "libpm/os/blocking.h"

#include <fcntl.h>
#include <algorithm>

namespace pm {

namespace {
constexpr char const *doing = "set O_NONBLOCK of";
} // namespace

Result<bool> set_blocking(int fd, bool blocking) noexcept {
  int const flags = sys::fcntl(fd, F_GETFL);
  if (flags < 0) return failed(doing);
  bool const was_blocking = !(flags & O_NONBLOCK);
  if (was_blocking != blocking && sys::fcntl(fd, F_SETFL, flags ^ O_NONBLOCK) < 0) return failed(doing);
  return was_blocking;
}

Done NonBlockingSockets::add(int socket) noexcept {
  auto const was_blocking = set_blocking(socket, false);
  if (!was_blocking) return fail(was_blocking);
  if (!*was_blocking || std::find(found_blocking_.begin(), found_blocking_.end(), socket) != found_blocking_.end()) return {};
  if (found_blocking_.append(socket)) return {};
  (void)set_blocking(socket, true);
  return failed(doing, ENOMEM);
}

void NonBlockingSockets::restore() noexcept {
  for (int const socket : found_blocking_) (void)set_blocking(socket, true);
  found_blocking_ = {};
}

} // namespace pm
