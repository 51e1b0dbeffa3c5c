/** Interrupts system calls of a server that wait where they should not. */
#pragma once

#include <poll.h>
#include <time.h>
#include "libpm/os/epoll.h"

namespace pm {

/**
 * When the last descriptor of a TCP connection with SO_LINGER and unsent data is closed, the kernel waits as long as SO_LINGER
 * says: in close(2) or recvmsg(2), even for a non-blocking socket. A client can pass such a descriptor and leave it unread, so
 * any close or read of a server may close the last one. Only a signal ends the wait. So while the server works, a timer sends it
 * SIGRTMAX-1 every 4 milliseconds. The handler does nothing. It has SA_RESTART, so only poll(2) and the like fail with EINTR.
 *
 * At most one in a process. A program that is executed has neither the handler nor the timer.
 */
class Interrupter {
 public:
  Interrupter() noexcept = default;
  Interrupter(Interrupter const &) = delete;
  Interrupter &operator=(Interrupter const &) = delete;
  ~Interrupter();

  /** Installs the handler, unblocks the signal and makes the timer. Make a Spawner before: it keeps the signal mask. */
  [[nodiscard]] Done make() noexcept;
  /**
   * As poll(2) and Epoll::wait(), for the server's loop. The timer runs from the end of one wait to the next wait that finds no
   * events. That wait starts with the timer running, and a tick may end it. So a busy server makes no system call for the timer.
   */
  [[nodiscard]] int poll(struct pollfd *fds, nfds_t count, int ms) noexcept;
  [[nodiscard]] Result<std::span<struct epoll_event const>> wait(Epoll &epoll, std::span<struct epoll_event> room,
                                                                 int ms) noexcept;

 private:
  void before_wait() noexcept;
  void after_wait(bool is_idle) noexcept;
  void run(bool runs) noexcept;

  timer_t timer_ = {};
  bool is_made_ = false, runs_ = false;
  bool is_idle_ = false; /**< the last wait found no events */
};

} // namespace pm
