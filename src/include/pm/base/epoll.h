/** Waiting for many descriptors at a cost that does not grow with them: epoll(7). */
#ifndef PM_BASE_EPOLL_H
#define PM_BASE_EPOLL_H

#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <span>

namespace pm {

class Epoll {
 public:
  [[nodiscard]] static Result<Epoll> make() noexcept;

  /** Readable, itself, when wait() has something. */
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /** `events` as epoll_ctl(2): EPOLLIN, EPOLLET...; 0 is only errors and hang-ups. The kernel forgets a descriptor when it is closed. */
  [[nodiscard]] Done add(int fd, uint32_t events) noexcept;
  /** What has happened so far, data.fd the descriptor each time: as much of it as there is room for. Does not wait. */
  [[nodiscard]] Result<std::span<struct epoll_event const>> take(std::span<struct epoll_event> room) noexcept;

 private:
  explicit Epoll(Fd fd) noexcept : fd_(static_cast<Fd &&>(fd)) {}
  Fd fd_;
};

} // namespace pm

#endif
