#include "libpm/os/spawn.h"

#include "libpm/os/sys.h"

namespace pm {

Spawner::Spawner() noexcept {
  sigset_t mask, defaults;
  ::sigemptyset(&mask);
  sys::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  ::sigemptyset(&defaults);
  // exec resets handled signals, but ignored ones stay ignored. The process may ignore SIGPIPE later, so children reset it,
  // unless it is ignored already.
  struct sigaction pipe;
  if (::sigaction(SIGPIPE, nullptr, &pipe) == 0 && pipe.sa_handler != SIG_IGN) ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_init(&attributes_);
  ::posix_spawnattr_setsigmask(&attributes_, &mask);
  ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
  ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

Spawner::~Spawner() {
  ::posix_spawnattr_destroy(&attributes_);
}

Result<pid_t> Spawner::start(char const *const *argv, char const *const *envp,
                             std::initializer_list<GivenFd> given) const noexcept {
  constexpr char const *doing = "start";
  posix_spawn_file_actions_t actions;
  int code = ::posix_spawn_file_actions_init(&actions);
  if (code) return failed(doing, code);
  // If both numbers are the same, dup2 clears close-on-exec (posix_spawn_file_actions_adddup2, POSIX.1-2024; glibc, musl).
  for (auto const &[fd, number] : given)
    if (!code) code = ::posix_spawn_file_actions_adddup2(&actions, fd, number);
  pid_t pid = -1;
  if (!code) code = sys::posix_spawnp(&pid, argv[0], &actions, &attributes_, argv, envp);
  ::posix_spawn_file_actions_destroy(&actions);
  if (code) return failed(doing, code);
  return pid;
}

} // namespace pm
