/** Waiting for many descriptors at a cost that does not grow with them: epoll(7). */
#ifndef PM_BASE_EPOLL_H
#define PM_BASE_EPOLL_H

#include <pm/base/fd.h>
#include <pm/base/result.h>
#include <pm/base/time.h>
#include <span>

namespace pm {

class Epoll {
 public:
  [[nodiscard]] static Result<Epoll> make() noexcept;

  /** Readable, itself, when wait() has something. */
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /** `events` as epoll_ctl(2): EPOLLIN, EPOLLET...; 0 is only errors and hang-ups. The kernel forgets a descriptor when it is closed. */
  [[nodiscard]] Done add(int fd, uint32_t events) noexcept;
  /** Waits for other events on a descriptor that was added. */
  [[nodiscard]] Done change(int fd, uint32_t events) noexcept;
  /** The kernel's way to forget a descriptor that others have open too. */
  void remove(int fd) noexcept;
  /** What has happened so far, data.fd the descriptor each time: as much of it as there is room for. Does not wait. */
  [[nodiscard]] Result<std::span<struct epoll_event const>> take(std::span<struct epoll_event> room) noexcept {
    return wait(room, Deadline::passed());
  }
  /** The same, and waits until there is something, or the deadline: then it is empty, as when a signal came. */
  [[nodiscard]] Result<std::span<struct epoll_event const>> wait(std::span<struct epoll_event> room, Deadline deadline) noexcept;

 private:
  explicit Epoll(Fd fd) noexcept : fd_(static_cast<Fd &&>(fd)) {}
  Fd fd_;
};

} // namespace pm

#endif
