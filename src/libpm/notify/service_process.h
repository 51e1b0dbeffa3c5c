/** A process that sends messages of sd_notify(3) and gets signals. */
#pragma once

#include <sys/socket.h>
#include <optional>
#include "libpm/os/sys.h"
#include "libpm/util/result.h"

namespace pm::notify {

class ServiceProcess {
 public:
  /** A process that runs. ESRCH; EINVAL or ENOENT: it is the number of a thread; ENOSYS before Linux 5.3. */
  [[nodiscard]] static Result<ServiceProcess> of(pid_t pid) noexcept;

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /** Its pidfd, which is readable when the process has ended. */
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /** When it started, pm::start_time(); 0: unknown. */
  [[nodiscard]] uint64_t start() const noexcept { return start_; }
  [[nodiscard]] bool has_ended() const noexcept;

  /** Whether it sent a message with these credentials. The pid of a process that has ended may be that of a later one. */
  [[nodiscard]] bool has_sent(struct ucred const &sender) const noexcept;
  /** Whether the process `pid`, which runs, is a child of it, or a child's child, and so on: its parents in /proc lead to it. */
  [[nodiscard]] bool is_ancestor_of(pid_t pid) const noexcept;
  /** Whether a process of this user may have it as the main process: it is root, or all users of the process are this one. */
  [[nodiscard]] bool belongs_to(uid_t user) const noexcept;
  /** Sends it a signal. Never to a later process with its pid. ESRCH, EPERM. */
  [[nodiscard]] Done signal(int number) const noexcept;

 private:
  ServiceProcess(Fd fd, pid_t pid, uint64_t start) noexcept : fd_(static_cast<Fd &&>(fd)), pid_(pid), start_(start) {}

  Fd fd_;
  pid_t pid_;
  uint64_t start_;
};

} // namespace pm::notify
