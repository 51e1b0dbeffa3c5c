/** The children of a server: starting them, hearing of their ends, and of the signals that are for the server itself. */
#ifndef PM_BASE_CHILDREN_H
#define PM_BASE_CHILDREN_H

#include <pm/base/callback.h>
#include <pm/base/signals.h>
#include <pm/base/spawn.h>
#include <pm/base/time.h>
#include <signal.h>
#include <initializer_list>

namespace pm {

/**
 * One in a process: it takes SIGCHLD, SIGPIPE and the signals it is told. Whatever cannot be had (descriptors, memory,
 * processes) is waited for here, too: until a child ends, which may have had it, or for a second.
 */
class Children {
 public:
  Children() noexcept;

  /** From now on these, SIGCHLD among them, are heard by next_signal() only, and SIGPIPE is nothing. */
  [[nodiscard]] Done take_signals(std::initializer_list<int> signals) noexcept;
  /** The signal mask, and what SIGPIPE did, as they were at first: for a program that this process is to become. */
  void give_signals_back() const noexcept;

  /** As Spawner::start(): with the signals as they were at first. */
  [[nodiscard]] Result<pid_t> start(char const *const *argv, char const *const *envp,
                                    std::initializer_list<GivenFd> given) const noexcept {
    return spawner_.start(argv, envp, given);
  }

  /** Readable when a signal has come. */
  [[nodiscard]] int fd() const noexcept { return signals_.fd(); }
  /** The next that has come, 0 when there is none; after SIGCHLD, reap(). */
  [[nodiscard]] int next_signal() noexcept { return signals_.next(&named_); }
  /** Waits for each child that has ended, whoever started it, and tells of it; a child that has stopped has not. */
  void reap(Callback<void(pid_t child, int status)> ended) noexcept;
  /**
   * The same of the child alone that the last signal was of, for the kernel looks at all of them to find any. Others may have
   * ended in that moment, and no signal says so: reap() is then to be called when sweep_left() is 0.
   */
  void reap_named(Callback<void(pid_t child, int status)> ended) noexcept;
  /** How long reap() may be put off, ms, as poll(2) wants it; -1: for ever. */
  [[nodiscard]] int sweep_left() const noexcept { return sweep_.remaining(); }

  /** Nothing is to be tried for a second, or until a child ends. */
  void pause() noexcept { paused_until_ = Deadline::in(pause_ms); }
  void resume() noexcept { paused_until_ = Deadline::passed(); }
  [[nodiscard]] bool is_paused() const noexcept { return paused_until_.remaining() != 0; }
  /** Until it is over, ms, as poll(2) wants it; -1 when nothing is paused. */
  [[nodiscard]] int pause_left() const noexcept {
    int const left = paused_until_.remaining();
    return left ? left : -1;
  }

 private:
  static constexpr uint32_t pause_ms = 1000;
  /** Often enough that nobody waits for it, and seldom enough that it does not count. */
  static constexpr uint32_t sweep_ms = 50;
  bool reap_one(pid_t who, Callback<void(pid_t child, int status)> ended) noexcept;

  Spawner spawner_;
  Signals signals_;
  sigset_t mask_ = {};
  struct sigaction on_sigpipe_ = {};
  Deadline paused_until_ = Deadline::passed();
  pid_t named_ = 0;
  Deadline sweep_; /**< never, unless a child may have ended unnoticed */
};

/** Whether a call that failed so may succeed when others have given something back: EMFILE, ENFILE, ENOMEM, ENOBUFS. */
[[nodiscard]] bool is_exhaustion(int code) noexcept;

} // namespace pm

#endif
