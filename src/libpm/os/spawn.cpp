#include "libpm/os/spawn.h"

#include "libpm/os/sys.h"

namespace pm {

namespace {
constexpr char const *doing = "start";
} // namespace

Spawner::Spawner() noexcept {
  ::sigemptyset(&signals_.mask);
  sys::pthread_sigmask(SIG_SETMASK, nullptr, &signals_.mask);
  // exec keeps ignored signals ignored. The process may ignore SIGPIPE later, so children reset it, unless it is ignored already.
  struct sigaction pipe;
  signals_.resets_sigpipe = ::sigaction(SIGPIPE, nullptr, &pipe) == 0 && pipe.sa_handler != SIG_IGN;
}

Spawner::~Spawner() {
  for (auto &slot : slots_)
    if (slot && !slot->wait_until_free()) (void)slot.release(); // its child still needs the memory
}

StartSlot *Spawner::free_slot() noexcept {
  for (auto &slot : slots_) {
    if (!slot) slot = make_box<StartSlot>();
    if (slot && slot->is_free()) return slot.get();
  }
  return nullptr;
}

Result<pid_t> Spawner::start(char const *const *argv, char const *const *envp, std::initializer_list<GivenFd> given) noexcept {
  for (auto &slot : slots_)
    if (slot && slot->is_free() && slot->take_error()) proven_ = nullptr;
  if (auto *const slot = StartSlot::is_supported && argv == proven_ ? free_slot() : nullptr) {
    auto const started = slot->start(argv, envp, given, signals_);
    if (started || started.error().code == EAGAIN || started.error().code == ENOMEM) return started;
  }
  auto const started = start_and_wait(argv, envp, given);
  proven_ = started ? argv : nullptr;
  return started;
}

Result<pid_t> Spawner::start_and_wait(char const *const *argv, char const *const *envp,
                                      std::initializer_list<GivenFd> given) const noexcept {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  int code = ::posix_spawnattr_init(&attributes);
  if (code) return failed(doing, code);
  code = ::posix_spawn_file_actions_init(&actions);
  sigset_t defaults;
  ::sigemptyset(&defaults);
  if (signals_.resets_sigpipe) ::sigaddset(&defaults, SIGPIPE);
  ::posix_spawnattr_setsigmask(&attributes, &signals_.mask);
  ::posix_spawnattr_setsigdefault(&attributes, &defaults);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  if (!code) {
    // If both numbers are the same, dup2 clears close-on-exec (posix_spawn_file_actions_adddup2, POSIX.1-2024; glibc, musl).
    for (auto const &[fd, number] : given)
      if (!code) code = ::posix_spawn_file_actions_adddup2(&actions, fd, number);
    if (!code) code = sys::posix_spawnp(&pid, argv[0], &actions, &attributes, argv, envp);
    ::posix_spawn_file_actions_destroy(&actions);
  }
  ::posix_spawnattr_destroy(&attributes);
  if (code) return failed(doing, code);
  return pid;
}

} // namespace pm
