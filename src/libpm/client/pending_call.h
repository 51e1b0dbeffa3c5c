/** Calls that may wait: in the caller's thread, or, on a handle of PM_NONBLOCK, in a thread of the library. */
#pragma once

#include "libpm/client/handle.h"
#include "libpm/os/epoll.h"
#include "libpm/os/own_thread.h"
#include "libpm/os/stream.h"

namespace pm::client {

/** How long a call may take, from the arguments of the functions of pm.h. */
[[nodiscard]] inline Limit limit_of(int timeout, int stop) noexcept {
  return {timeout < 0 ? Deadline() : Deadline::in_ms(timeout), stop};
}

/** A call in a thread of its own. It reads the handle's tree, and nothing else of the handle. */
class PendingCall {
 public:
  PendingCall(PendingCall const &) = delete;
  PendingCall &operator=(PendingCall const &) = delete;

  /** Starts the thread. EAGAIN: there are too many. The limit ends early when the handle is closed. */
  [[nodiscard]] Done start(pm_registry &handle, Limit limit) noexcept;
  /** Waits for the end of the thread. */
  void join() noexcept { thread_.join(); }
  /** The result of the call. */
  [[nodiscard]] int finish(pm_registry &handle) noexcept { return finish_(*this, handle); }

 protected:
  using Run = void (*)(PendingCall &, registry::Tree const &, Limit) noexcept;
  using Finish = int (*)(PendingCall &, pm_registry &) noexcept;
  using End = void (*)(PendingCall *) noexcept;
  PendingCall(Run runs, Finish finishes, End ends) noexcept : run_(runs), finish_(finishes), end_(ends) {}
  ~PendingCall() = default;

 private:
  friend struct EndPendingCall;
  static void *run(void *call) noexcept;

  Run run_;
  Finish finish_;
  End end_;
  registry::Tree const *tree_ = nullptr;
  int done_ = -1;
  Limit limit_;
  std::optional<Epoll> stops_; /**< of the caller's stop descriptor, and the handle's */
  OwnThread thread_;
};

template <class Operation>
class PendingOperation : public PendingCall {
 public:
  explicit PendingOperation(Operation &&operation) noexcept
      : PendingCall([](PendingCall &call, registry::Tree const &tree,
                       Limit limit) noexcept { static_cast<PendingOperation &>(call).operation_.run(tree, limit); },
                    [](PendingCall &call, pm_registry &handle) noexcept {
                      return static_cast<PendingOperation &>(call).operation_.finish(handle);
                    },
                    [](PendingCall *call) noexcept { Box<PendingOperation> const last(static_cast<PendingOperation *>(call)); }),
        operation_(static_cast<Operation &&>(operation)) {}

 private:
  Operation operation_;
};

/** Ends the pending call, and returns its result. */
int cancel_pending(pm_registry &handle) noexcept;

/** The result of a call that failed. A cancellation closes the handle, and ends its registrations. */
int fail_and_close(pm_registry &handle, Error const &error) noexcept;
/** If the stop descriptor (-1: none) is readable: PM_CANCELLED. */
[[nodiscard]] int check_stop(pm_registry &handle, int stop, bool closes) noexcept;

/**
 * Does a call. The operation owns its arguments and its result:
 *
 *     void run(registry::Tree const &tree, Limit limit) noexcept;  perhaps in another thread
 *     int finish(pm_registry &handle) noexcept;                    in the caller's, afterwards: the result of the call
 *     static constexpr bool closes_when_cancelled;                 as fail_and_close()
 */
template <class Operation>
int call(pm_registry *handle, Operation &&operation, int timeout, int stop) noexcept {
  if (int const failed = begin(handle)) return failed;
  if (int const stopped = check_stop(*handle, stop, Operation::closes_when_cancelled)) return stopped;
  auto const limit = limit_of(timeout, stop);
  if (!handle->done.valid()) {
    operation.run(handle->tree, limit);
    return operation.finish(*handle);
  }
  auto pending = make_box<PendingOperation<Operation>>(static_cast<Operation &&>(operation));
  if (!pending) return fail(SysError{ENOMEM, "start a call"});
  if (auto const started = pending->start(*handle, limit); !started) return fail(started.error());
  handle->pending.reset(pending.release());
  return fail(Status::pending);
}

} // namespace pm::client
