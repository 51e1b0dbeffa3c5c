/** Whether calls on a descriptor wait. The mode (O_NONBLOCK) belongs to the open file description: every process that has it shares it. */
#pragma once

#include "libpm/os/sys.h"
#include "libpm/util/result.h"

namespace pm {

/** Makes the open file description of `fd` blocking or non-blocking. Returns whether it was blocking. EBADF. */
[[nodiscard]] Result<bool> set_blocking(int fd, bool blocking) noexcept;

/** Listening sockets that a server accepts from and that other processes may share: non-blocking until restore(). */
class NonBlockingSockets {
 public:
  NonBlockingSockets() noexcept = default;
  NonBlockingSockets(NonBlockingSockets const &) = delete;
  NonBlockingSockets &operator=(NonBlockingSockets const &) = delete;
  ~NonBlockingSockets() { restore(); }

  /** Makes a socket non-blocking. Borrows it. Also after another process has made it blocking again. EBADF, ENOMEM. */
  [[nodiscard]] Done add(int socket) noexcept;
  /** Makes those sockets blocking that were blocking when they were added. */
  void restore() noexcept;
  /** In a forked child, whose parent goes on with them: restores nothing. */
  void forget() noexcept { found_blocking_.clear(); }

 private:
  List<int> found_blocking_;
};

} // namespace pm
