#include "libpm/os/epoll.h"

namespace pm {

Result<Epoll> Epoll::make() noexcept {
  Fd fd(sys::epoll_create1(EPOLL_CLOEXEC));
  if (!fd.valid()) return failed("wait for events");
  return Epoll(static_cast<Fd &&>(fd));
}

Done Epoll::add(int fd, uint32_t events) noexcept {
  struct epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  if (sys::epoll_ctl(fd_.get(), EPOLL_CTL_ADD, fd, &event) < 0) return failed("wait for events");
  return {};
}

Done Epoll::change(int fd, uint32_t events) noexcept {
  struct epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  if (sys::epoll_ctl(fd_.get(), EPOLL_CTL_MOD, fd, &event) < 0) return failed("wait for events");
  return {};
}

void Epoll::remove(int fd) noexcept {
  sys::epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr);
}

Result<std::span<struct epoll_event const>> Epoll::wait(std::span<struct epoll_event> room, int ms) noexcept {
  int const n = sys::epoll_wait(fd_.get(), room.data(), static_cast<int>(room.size()), ms);
  if (n < 0 && errno != EINTR) return failed("wait for events");
  return room.first(n < 0 ? 0 : static_cast<size_t>(n));
}

} // namespace pm
