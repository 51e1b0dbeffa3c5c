#include "libpm/registry/registrant.h"

#include <unistd.h>
#include "libpm/os/process.h"

namespace pm::registry {

Result<Registrant> this_process() noexcept {
  pid_t const pid = ::getpid();
  auto const start = start_time(pid);
  if (!start && !is_hidden_process(start.error())) return fail(start);
  return Registrant{::geteuid(), pid, start.value_or(0)};
}

Answer<Registrant> process_for(int process, uid_t uid) noexcept {
  auto const pid = number_of(process);
  if (!pid && (pid.error().code == ESRCH || pid.error().code == EBADF)) return refuse(Refusal::no_process);
  if (!pid) return fail(pid);
  if (*pid == 0) return refuse(Refusal::unknown_process);
  auto const users = users_of(*pid);
  auto const start = start_time(*pid);
  // The number was the process's own when /proc was read if the process still runs now.
  auto const ended = has_ended(process);
  if (!ended) return fail(ended);
  if (*ended) return refuse(Refusal::no_process);
  for (int const code : {users ? 0 : users.error().code, start ? 0 : start.error().code})
    if (code == ENOENT || code == ESRCH || code == EPERM) return refuse(Refusal::unknown_process);
  if (!users) return fail(users);
  if (!start) return fail(start);
  bool const is_own = users->real == uid && users->effective == uid && users->saved == uid;
  if (uid != 0 && !is_own) return refuse(Refusal::foreign_process);
  return Registrant{uid, *pid, *start};
}

} // namespace pm::registry
