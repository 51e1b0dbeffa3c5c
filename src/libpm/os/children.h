/** The children of a server: it starts and reaps them, and receives the signals of the server itself. */
#pragma once

#include <signal.h>
#include <initializer_list>
#include "libpm/os/signals.h"
#include "libpm/os/spawn.h"
#include "libpm/os/time.h"
#include "libpm/util/callback.h"

namespace pm {

/**
 * Make at most one in a process: it changes what SIGCHLD, SIGPIPE and the given signals do. It has the server's Pause, because a
 * child that ends may free the resources that the server lacked.
 */
class Children {
 public:
  Children() noexcept;

  /** Blocks `signals`, which include SIGCHLD: only next_signal() returns them. Ignores SIGPIPE. */
  [[nodiscard]] Done take_signals(std::initializer_list<int> signals) noexcept;
  /** Restores the signal mask and SIGPIPE's action from before, for the program that this process is about to execute. */
  void give_signals_back() const noexcept;

  /** As Spawner::start(). The child gets the signal mask and SIGPIPE's action from before take_signals(). */
  [[nodiscard]] Result<pid_t> start(char const *const *argv, char const *const *envp,
                                    std::initializer_list<GivenFd> given) noexcept {
    return spawner_.start(argv, envp, given);
  }

  /** Readable when a signal is pending. */
  [[nodiscard]] int fd() const noexcept { return signals_.fd(); }
  /** The next pending signal, or 0. After SIGCHLD, call reap() or reap_named(). */
  [[nodiscard]] int next_signal() noexcept { return signals_.next(&named_); }
  /**
   * Reaps every child that has ended, also children that start() did not make, and calls `ended` for each. Stopped children are
   * not reported.
   */
  void reap(Callback<void(pid_t child, int status)> ended) noexcept;
  /**
   * Reaps only the child that the last signal named: to find any other, the kernel would look at all children. Other children may
   * have ended at the same moment without a signal of their own, so call reap() when sweep_left() is 0. Without it, pm-superd takes
   * 1.7 times the processor time for a client that connects again and again beside 1,000 connections, and 8 times beside 9,500.
   */
  void reap_named(Callback<void(pid_t child, int status)> ended) noexcept;
  /**
   * The time until reap() is due, in ms, as poll(2) takes it; -1 if it is not due. The longer reap() takes, the more rarely it is
   * due.
   */
  [[nodiscard]] int sweep_left() const noexcept { return sweep_.remaining(); }

  /** The end of a child also ends the pause, because the child may have used the resources that this process lacked. */
  [[nodiscard]] Pause &pause() noexcept { return pause_; }
  [[nodiscard]] Pause const &pause() const noexcept { return pause_; }

 private:
  /** Short enough that its delay is not noticed. With many children a sweep is due when 100 times its own duration has passed. */
  static constexpr uint32_t sweep_ms = 50, sweep_share = 100;
  bool reap_one(pid_t who, Callback<void(pid_t child, int status)> ended) noexcept;

  Spawner spawner_;
  Signals signals_;
  sigset_t mask_ = {};
  struct sigaction on_sigpipe_ = {};
  Pause pause_;
  pid_t named_ = 0;
  uint32_t sweep_after_ = sweep_ms;
  Deadline sweep_; /**< never, unless a child may have ended without a signal of its own */
};

} // namespace pm
