#include "libpm/registry/fifodir_waiter.h"

#include <fcntl.h>
#include <limits.h>
#include <algorithm>
#include "libpm/util/netstring.h"
#include "libpm/util/text.h"

namespace pm::registry {

FifodirWaiter::FifodirWaiter(Fd fifodir, fifodir::Subscription subscription, Epoll epoll, Expression &&expression) noexcept
    : fifodir_(std::move(fifodir)),
      subscription_(std::move(subscription)),
      epoll_(std::move(epoll)),
      expression_(std::move(expression)) {}

FifodirWaiter::~FifodirWaiter() {
  if (fifodir_.valid()) sys::unlinkat(fifodir_.get(), subscription_.name.c_str(), 0);
}

Result<FifodirWaiter> FifodirWaiter::open(std::string_view fifodir_path, Expression &&expression) noexcept {
  Text<PATH_MAX> const path(fifodir_path);
  if (path.overflowed()) return failed("open the fifodir", ENAMETOOLONG);
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  Fd fifodir(sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fifodir.valid()) return failed("open the fifodir");
  auto subscription = fifodir::subscribe(fifodir.get(), ".", 0622, fifodir::ListenerKind::bytes);
  if (!subscription) return fail(subscription);
  int const fifo = subscription->fifo.get();
  FifodirWaiter waiter(std::move(fifodir), std::move(*subscription), std::move(*epoll), std::move(expression));
  // Edge-triggered, because epoll reports a FIFO without writers as hung up again and again.
  if (auto const added = waiter.epoll_.add(fifo, EPOLLIN | EPOLLET); !added) return fail(added);
  return waiter;
}

void FifodirWaiter::forget() noexcept {
  fifodir_.reset();
  subscription_.fifo.reset();
}

Result<std::optional<std::string_view>> FifodirWaiter::next() noexcept {
  constexpr char const *doing = "read events";
  if (answered_) {
    came_.erase_front(answered_);
    answered_ = 0;
    is_new_ = !came_.empty();
  }
  // Take epoll's event first, so that bytes which arrive during the reading make another one.
  struct epoll_event room[1];
  if (auto const heard = epoll_.take(room); !heard) return fail(heard);
  char bytes[4096];
  constexpr int reads_most = 16;
  for (int reads = 0;; ++reads) {
    if (is_new_) {
      is_new_ = false;
      if (auto const match = expression_.search({came_.begin(), came_.size()})) {
        // After an empty match nothing of these bytes is matched again, or it would be found without end.
        answered_ = match->to > match->from ? match->to : came_.size();
        return std::string_view(came_.begin() + match->from, match->to - match->from);
      }
    }
    if (reads == reads_most) {
      // There may be more. This makes epoll report it again.
      auto const again = epoll_.change(subscription_.fifo.get(), EPOLLIN | EPOLLET);
      return again ? Result<std::optional<std::string_view>>(std::nullopt) : fail(again);
    }
    ssize_t const n = sys::read(subscription_.fifo.get(), bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return failed(doing);
    if (n <= 0) return std::optional<std::string_view>();
    std::string_view came(bytes, static_cast<size_t>(n));
    // Null bytes are no part of an answer, so that it is a text.
    for (char const c : came)
      if (c && !came_.append(c)) return failed(doing, ENOMEM);
    if (came_.size() > kept_max) came_.erase_front(came_.size() - kept_max);
    is_new_ = true;
  }
}

Result<bool> FifodirWaiter::step(List<char> &answer) noexcept {
  auto const event = next();
  if (!event) return fail(event);
  if (*event && !append_netstring(answer, **event)) return failed("read events", ENOMEM);
  return event->has_value();
}

} // namespace pm::registry
