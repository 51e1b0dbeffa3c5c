/** Waiting for events in any fifodir, in this process. pm-listend does this after it has read its request. */
#pragma once

#include <optional>
#include "libpm/fifodir/subscription.h"
#include "libpm/os/epoll.h"
#include "libpm/os/sys.h"
#include "libpm/util/expression.h"

namespace pm::registry {

/**
 * A listener in a fifodir. It makes a FIFO there (mode 0622) with the rights of this process, and unlinks it at the end. An
 * event has happened when the bytes that have arrived since open(), or since the last event, match the expression.
 */
class FifodirWaiter {
 public:
  /** The largest number of bytes that are kept to be matched. Older bytes are dropped. */
  static constexpr size_t kept_max = 65536;

  /** Listens when it returns. ENAMETOOLONG, ENOENT, ENOTDIR, EACCES: the fifodir. */
  [[nodiscard]] static Result<FifodirWaiter> open(std::string_view fifodir, Expression &&expression) noexcept;
  FifodirWaiter(FifodirWaiter &&other) noexcept = default;
  FifodirWaiter &operator=(FifodirWaiter &&) = delete;
  ~FifodirWaiter();

  /** Readable when step() has something to do. */
  [[nodiscard]] int fd() const noexcept { return epoll_.fd(); }
  /** The bytes that matched, if an event has happened; valid until the next call. Does not wait. */
  [[nodiscard]] Result<std::optional<std::string_view>> next() noexcept;
  /** The same: whether an event has happened. If so, appends the answer, a netstring of the bytes. */
  [[nodiscard]] Result<bool> step(List<char> &answer) noexcept;
  /** In a forked child: closes the FIFO, and leaves its name to the parent. */
  void forget() noexcept;

 private:
  FifodirWaiter(Fd fifodir, fifodir::Subscription subscription, Epoll epoll, Expression &&expression) noexcept;

  Fd fifodir_;
  fifodir::Subscription subscription_;
  Epoll epoll_;
  Expression expression_;
  List<char> came_;
  size_t answered_ = 0; /**< bytes of came_ that belong to the last event, or to none */
  bool is_new_ = false; /**< bytes came, or were removed, since the last search */
};

} // namespace pm::registry
