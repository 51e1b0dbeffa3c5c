#include "libpm/notify/service_process.h"

#include <utility>
#include "libpm/os/overflow_user.h"
#include "libpm/os/process.h"

namespace pm::notify {

namespace {
/** The most parents that are followed. A deeper process is taken for a stranger. */
constexpr int parents_max = 64;
} // namespace

Result<ServiceProcess> ServiceProcess::of(pid_t pid) noexcept {
  auto fd = process_fd(pid);
  if (!fd) return fail(fd);
  return ServiceProcess(std::move(*fd), pid, start_time(pid).value_or(0));
}

bool ServiceProcess::has_ended() const noexcept {
  return pm::has_ended(fd()).value_or(false);
}

bool ServiceProcess::has_sent(struct ucred const &sender) const noexcept {
  if (sender.pid != pid_) return false;
  if (!has_ended()) return true;
  // It may have sent the message just before its end. If its number is in use, it must still be its own: it was not waited for.
  auto const start = start_time(pid_);
  return !start || *start == start_;
}

bool ServiceProcess::is_ancestor_of(pid_t pid) const noexcept {
  // While the process runs, its number is no other's.
  auto const descendant = process_fd(pid);
  if (!descendant) return false;
  for (int i = 0; i < parents_max; ++i) {
    auto const parent = parent_of(pid);
    if (!parent) return false;
    pid = *parent;
    if (pid == pid_) return !has_ended() && !pm::has_ended(descendant->get()).value_or(true);
  }
  return false;
}

bool ServiceProcess::belongs_to(uid_t user) const noexcept {
  if (user == 0) return true;
  auto const users = users_of(pid_);
  return users && !has_ended() && !is_overflow_user(user) && users->real == user && users->effective == user &&
         users->saved == user;
}

Done ServiceProcess::signal(int number) const noexcept {
  if (sys::pidfd_send_signal(fd(), number) < 0) return failed("send a signal to");
  return {};
}

} // namespace pm::notify
