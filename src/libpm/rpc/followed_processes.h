/** Noticing the end of processes. */
#pragma once

#include <pm/types.h>
#include "libpm/os/epoll.h"
#include "libpm/util/callback.h"

namespace pm::rpc {

class FollowedProcesses {
 public:
  FollowedProcesses() noexcept = default;
  FollowedProcesses(FollowedProcesses const &) = delete;
  FollowedProcesses &operator=(FollowedProcesses const &) = delete;
  ~FollowedProcesses();

  /**
   * Adds the process with number `pid` that started at `start` (as start_time()), unless it was added before. When it ends, its
   * descriptor becomes readable in `epoll`; the caller of take() then calls ended(). A process that has already ended, or that
   * cannot be followed, counts as ended. ENOMEM.
   */
  [[nodiscard]] Done follow(Epoll &epoll, pid_t pid, uint64_t start) noexcept;
  /** Notes that the process with this descriptor has ended. It ignores other descriptors. */
  void ended(int fd) noexcept;
  [[nodiscard]] bool have_ended() const noexcept { return ended_; }
  /** Visits each process that has ended, and forgets it. */
  void forget_ended(Callback<void(pid_t pid, uint64_t start)> visit) noexcept;

 private:
  struct Process {
    int fd; /**< pidfd; -1: the process has ended */
    pid_t pid;
    uint64_t start;
  };
  List<Process> processes_;
  bool ended_ = false; /**< a process of the list has ended */
};

} // namespace pm::rpc
