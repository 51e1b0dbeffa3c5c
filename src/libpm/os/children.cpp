#include "libpm/os/children.h"

#include <sys/wait.h>
#include <algorithm>
#include <utility>

namespace pm {

Children::Children() noexcept {
  ::sigemptyset(&mask_);
  sys::pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
  ::sigaction(SIGPIPE, nullptr, &on_sigpipe_);
}

Done Children::take_signals(std::initializer_list<int> signals) noexcept {
  // If the parent left SIGCHLD ignored, the kernel would reap the children itself.
  ::signal(SIGCHLD, SIG_DFL);
  auto trapped = Signals::trap(signals);
  if (!trapped) return fail(trapped);
  signals_ = std::move(*trapped);
  // The server must not end because its log lost the reader.
  ::signal(SIGPIPE, SIG_IGN);
  return {};
}

void Children::give_signals_back() const noexcept {
  ::sigaction(SIGPIPE, &on_sigpipe_, nullptr);
  sys::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
}

bool Children::reap_one(pid_t who, Callback<void(pid_t child, int status)> ended) noexcept {
  int status;
  pid_t const child = sys::waitpid(who, &status, WNOHANG);
  if (child <= 0) return child < 0 && errno == EINTR;
  pause_.end();
  ended(child, status);
  return true;
}

void Children::reap(Callback<void(pid_t child, int status)> ended) noexcept {
  sweep_ = Deadline();
  uint64_t const before = boottime();
  while (reap_one(-1, ended)) {
  }
  auto const taken_ms = static_cast<uint32_t>((boottime() - before) * sweep_share / 1'000'000);
  sweep_after_ = std::max(sweep_ms, taken_ms);
}

void Children::reap_named(Callback<void(pid_t child, int status)> ended) noexcept {
  // The pid is 0 if the sender has none in this pid namespace. A SIGCHLD of kill(2) does not name a child.
  if (named_ > 0) (void)reap_one(named_, ended);
  if (sweep_left() < 0) sweep_ = time_limit(sweep_after_);
}

} // namespace pm
