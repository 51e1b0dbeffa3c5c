#include "libpm/os/signals.h"

#include <signal.h>
#include <sys/signalfd.h>

namespace pm {

Result<Signals> Signals::trap(std::initializer_list<int> signals) noexcept {
  constexpr char const *doing = "trap signals";
  sigset_t set;
  ::sigemptyset(&set);
  for (int const signal : signals) ::sigaddset(&set, signal);
  Fd fd(sys::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd.valid() || sys::pthread_sigmask(SIG_BLOCK, &set, nullptr) < 0) return failed(doing);
  return Signals(static_cast<Fd &&>(fd));
}

int Signals::next(pid_t *sender) const noexcept {
  struct signalfd_siginfo info;
  ssize_t const n = sys::read(fd_.get(), &info, sizeof info);
  if (n != sizeof info) return 0;
  if (sender) *sender = static_cast<pid_t>(info.ssi_pid);
  return static_cast<int>(info.ssi_signo);
}

} // namespace pm
