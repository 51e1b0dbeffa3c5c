/** Interrupts system calls of a server that wait where they should not. */
#pragma once

#include <time.h>
#include "libpm/util/result.h"

namespace pm {

/**
 * When the last descriptor of a TCP connection with SO_LINGER and unsent data is closed, the kernel waits as long as SO_LINGER says, in close(2) or in
 * recvmsg(2), even for a non-blocking socket. A client can pass such a descriptor, and leave it unread, so that any close or read of a server
 * may be the last. Only a signal ends the wait. So while the server handles events, a timer sends it SIGRTMAX every 4 milliseconds; the handler
 * does nothing. The handler has SA_RESTART, so that only poll(2) and the like fail with EINTR.
 *
 * At most one in a process. A program that is executed has neither the handler nor the timer.
 */
class Interrupter {
 public:
  Interrupter() noexcept = default;
  Interrupter(Interrupter const &) = delete;
  Interrupter &operator=(Interrupter const &) = delete;
  ~Interrupter();

  /** Installs the handler, unblocks the signal and makes the timer, which does not run. Make a Spawner before: it keeps the signal mask. */
  [[nodiscard]] Done make() noexcept;
  /**
   * Call these before and after each wait for events. `events`: whether there were any. The timer runs unless the server waits, and goes on
   * during the first wait, which a tick of it may end; so a busy server makes no system call here.
   */
  void before_wait() noexcept {
    if (runs_ && idle_) run(false);
  }
  void after_wait(bool events) noexcept {
    idle_ = !events;
    if (!runs_) run(true);
  }

 private:
  void run(bool runs) noexcept;

  timer_t timer_ = {};
  bool is_made_ = false, runs_ = false, idle_ = false;
};

} // namespace pm
