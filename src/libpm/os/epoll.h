/** Waits for many descriptors; the cost does not grow with their number: epoll(7). */
#pragma once

#include <span>
#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/util/result.h"

namespace pm {

class Epoll {
 public:
  [[nodiscard]] static Result<Epoll> make() noexcept;

  /** This descriptor is readable when wait() has an event. */
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /**
   * `events` as epoll_ctl(2): EPOLLIN, EPOLLET...; 0 is only errors and hang-ups. The kernel removes a descriptor when it is
   * closed.
   */
  [[nodiscard]] Done add(int fd, uint32_t events) noexcept;
  /** Replaces the events of a descriptor that was added. */
  [[nodiscard]] Done change(int fd, uint32_t events) noexcept;
  /** Removes a descriptor. This is necessary before closing a descriptor whose file other processes have open too. */
  void remove(int fd) noexcept;
  /** The events until now, as many as fit into `room`; data.fd of each is the descriptor. Does not wait.
   * The handling of an event may close the descriptor of a later one, and another file may get its number: ask is_ready(),
   * os/stream.h.
   */
  [[nodiscard]] Result<std::span<struct epoll_event const>> take(std::span<struct epoll_event> room) noexcept {
    return wait(room, 0);
  }
  /** As take(), but waits up to `ms` milliseconds; -1: without end. Empty: the time has passed, or a signal came. */
  [[nodiscard]] Result<std::span<struct epoll_event const>> wait(std::span<struct epoll_event> room, int ms) noexcept;

 private:
  explicit Epoll(Fd fd) noexcept : fd_(static_cast<Fd &&>(fd)) {}
  Fd fd_;
};

} // namespace pm
