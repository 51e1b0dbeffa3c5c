#include "libpm/rpc/followed_processes.h"

#include "libpm/os/process.h"

namespace pm::rpc {

FollowedProcesses::~FollowedProcesses() {
  for (Process const &process : processes_)
    if (process.fd >= 0) sys::close(process.fd);
}

Done FollowedProcesses::follow(Epoll &epoll, pid_t pid, uint64_t start) noexcept {
  for (Process const &process : processes_)
    if (process.pid == pid && process.start == start && process.fd >= 0) return {};
  auto process = process_fd(pid);
  auto const started = process ? start_time(pid) : Result<uint64_t>(fail(process));
  int fd = -1;
  // If /proc hides the process, take the number to be its own still.
  bool const is_it = started ? *started == start : is_hidden_process(started.error());
  if (is_it && epoll.add(process->get(), EPOLLIN)) fd = process->release();
  ended_ = ended_ || fd < 0;
  if (processes_.append({fd, pid, start})) return {};
  if (fd >= 0) sys::close(fd);
  return failed("follow a process", ENOMEM);
}

void FollowedProcesses::ended(int fd) noexcept {
  for (Process &process : processes_) {
    if (process.fd != fd) continue;
    sys::close(fd);
    process.fd = -1;
    ended_ = true;
  }
}

void FollowedProcesses::forget_ended(Callback<void(pid_t pid, uint64_t start)> visit) noexcept {
  ended_ = false;
  size_t kept = 0;
  for (Process const process : processes_)
    if (process.fd >= 0) processes_[kept++] = process;
    else visit(process.pid, process.start);
  processes_.truncate(kept);
}

} // namespace pm::rpc
