/** A child that starts a program while its parent goes on. */
#pragma once

#include <signal.h>
#include <sys/types.h>
#include <atomic>
#include <initializer_list>
#include "libpm/util/result.h"

namespace pm {

/** A descriptor that the child gets as `number`. `fd` may be close-on-exec in this process; `number` is not in the child. */
struct GivenFd {
  int fd, number;
};

/** What a child does with its signals before it executes the program. */
struct ChildSignals {
  sigset_t mask;
  bool resets_sigpipe; /**< SIGPIPE gets its default action */
};

/**
 * The memory of one such child, until it executes its program: clone(2) with CLONE_VM, so nothing is copied, and without CLONE_VFORK, so
 * the parent need not wait. Against posix_spawn(3), pm-super serves 8 clients at a time 1.25 times as fast, with 0.89 of the processor
 * time, on two processors. The parent's signal handlers do nothing, because the child would run them in the parent's memory.
 */
class StartSlot {
 public:
  /** Whether this system can do it: processors whose system calls are made without errno, which belongs to the parent. */
  static bool const is_supported;

  StartSlot() noexcept = default;
  StartSlot(StartSlot const &) = delete;
  StartSlot &operator=(StartSlot const &) = delete;

  /** Whether the last child has executed its program or ended. */
  [[nodiscard]] bool is_free() const noexcept { return !in_use_.load(std::memory_order_acquire); }
  /** Waits until the slot is free: then the child has none of this process's close-on-exec descriptors. False: not within 100 ms. */
  [[nodiscard]] bool wait_until_free() noexcept;
  /** The errno with which the last child could not execute its program, or 0; once. The slot is free. */
  [[nodiscard]] int take_error() noexcept;
  /**
   * Starts argv[0], which is looked up in the PATH of `envp`. The slot is free. All arguments may change as soon as this returns. Errors
   * as clone(2), ENOMEM; E2BIG: more than 4 descriptors. An error of execve(2) is that of take_error(), and the child's exit code is 127.
   */
  [[nodiscard]] Result<pid_t> start(char const *const *argv, char const *const *envp, std::initializer_list<GivenFd> given,
                                    ChildSignals const &signals) noexcept;

 private:
  static constexpr size_t stack_size = 16384, given_max = 4;
  static int run(void *slot) noexcept;
  long execute() noexcept;
  [[nodiscard]] bool copy(char const *const *argv, char const *const *envp) noexcept;

  std::atomic<int> in_use_ = 0; /**< the kernel sets it to 0 when the child leaves this memory, set_tid_address(2) */
  int error_ = 0;
  GivenFd given_[given_max] = {};
  size_t given_count_ = 0;
  ChildSignals signals_ = {};
  List<char> strings_;           /**< those of argv and of the environment */
  List<char const *> variables_; /**< the environment, and then argv */
  size_t argv_ = 0;              /**< where argv begins */
  alignas(16) char stack_[stack_size];
};

} // namespace pm
