/** Waiting for an event in any fifodir, in this process: what pm-listend does once it has read its request. */
#ifndef PM_EVENTS_FIFODIR_WAITER_H
#define PM_EVENTS_FIFODIR_WAITER_H

#include <pm/base/epoll.h>
#include <pm/base/fd.h>
#include <pm/events/request.h>
#include <pm/fifodir/subscription.h>
#include <regex.h>
#include <memory>

namespace pm::events {

/**
 * A listener for one event in a fifodir, with a FIFO of its own there (mode 0622), made with the caller's rights and
 * unlinked at the end. Any bytes are an event when all that came since it listens match the expression.
 */
class FifodirWaiter {
 public:
  /** Most bytes that are kept to be matched: of what came before them, nothing is known any more. */
  static constexpr size_t kept_max = 65536;

  /** Listens from when it returns. `what` and `pattern` of a request of kind `event`. EINVAL: no regular expression. ENOENT, ENOTDIR, EACCES: the fifodir. */
  [[nodiscard]] static Result<FifodirWaiter> open(Request const &request) noexcept;
  FifodirWaiter(FifodirWaiter &&other) noexcept = default;
  FifodirWaiter &operator=(FifodirWaiter &&) = delete;
  ~FifodirWaiter();

  /** Readable when step() has something to do. */
  [[nodiscard]] int fd() const noexcept { return epoll_.fd(); }
  /** Whether what is waited for has happened; if so, appends the netstring to answer: the bytes that matched. Does not wait. */
  [[nodiscard]] Result<bool> step(List<char> &answer) noexcept;

 private:
  struct FreeExpression {
    void operator()(regex_t *expression) const noexcept;
  };

  FifodirWaiter(Fd fifodir, fifodir::Subscription subscription, Epoll epoll,
                std::unique_ptr<regex_t, FreeExpression> expression) noexcept;

  Fd fifodir_;
  fifodir::Subscription subscription_;
  Epoll epoll_;
  std::unique_ptr<regex_t, FreeExpression> expression_;
  List<char> came_;
};

} // namespace pm::events

#endif
