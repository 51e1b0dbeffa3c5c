#include "libpm/super/program_starter.h"

#include <sys/wait.h>
#include <algorithm>

namespace pm::super {

bool ProgramStarter::may_start() noexcept {
  int const left = starts_.wait();
  limited_ = left > 0;
  if (!limited_) return true;
  if (silent_.remaining() <= 0) log_.paused(starts_);
  silent_ =
      time_limit(static_cast<uint32_t>(std::min<uint64_t>(uint64_t{starts_.ms()} + static_cast<unsigned>(left), UINT32_MAX)));
  return false;
}

std::optional<pid_t> ProgramStarter::start(char const *const *environment, std::initializer_list<GivenFd> given) noexcept {
  (void)starts_.count();
  auto const started = children_.start(program_, environment, given);
  if (!started) {
    log_.failure(started.error(), program_[0]);
    count_failure();
    return std::nullopt;
  }
  log_.count_start();
  return *started;
}

void ProgramStarter::program_ended(int status, bool unread) noexcept {
  bool const failed = WIFSIGNALED(status) ? is_failure(WTERMSIG(status)) : failed_codes_.has(WEXITSTATUS(status));
  bool const is_stopped = WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM;
  if (failed || (unread && !is_stopped)) count_failure();
}

void ProgramStarter::worker_ended(int status) noexcept {
  if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGTERM : WEXITSTATUS(status) != 0) count_failure();
}

void ProgramStarter::count_failure() noexcept {
  log_.count_failure();
  if (failures_.is_limited() && failures_.count() && failures_.wait() > 0) gave_up_ = true;
}

} // namespace pm::super
