#include "libpm/super/program_starter.h"

#include <sys/wait.h>

namespace pm::super {

bool ProgramStarter::may_start() noexcept {
  bool const limited = starts_.wait() > 0;
  if (limited && !limited_) log_.paused(starts_);
  limited_ = limited;
  return !limited;
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

void ProgramStarter::ended(int status) noexcept {
  if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGTERM : WEXITSTATUS(status) != 0) count_failure();
}

void ProgramStarter::count_failure() noexcept {
  log_.count_failure();
  if (failures_.is_limited() && failures_.count() && failures_.wait() > 0) gave_up_ = true;
}

} // namespace pm::super
