#include "libpm/registry/fifodir_waiter.h"
#include <fcntl.h>
#include <algorithm>
#include "libpm/util/netstring.h"

namespace pm::registry {

void FifodirWaiter::FreeExpression::operator()(regex_t *expression) const noexcept {
  ::regfree(expression);
  ::free(expression);
}

FifodirWaiter::FifodirWaiter(Fd fifodir, fifodir::Subscription subscription, Epoll epoll,
                             std::unique_ptr<regex_t, FreeExpression> expression) noexcept
    : fifodir_(std::move(fifodir)),
      subscription_(std::move(subscription)),
      epoll_(std::move(epoll)),
      expression_(std::move(expression)) {}

FifodirWaiter::~FifodirWaiter() {
  if (fifodir_.valid()) sys::unlinkat(fifodir_.get(), subscription_.name.c_str(), 0);
}

Result<FifodirWaiter> FifodirWaiter::open(WaitRequest const &request) noexcept {
  constexpr char const *reading = "read the regular expression";
  Text<field_max> const path(request.what), pattern(request.pattern);
  if (path.overflowed() || pattern.overflowed()) return failed(reading, ENAMETOOLONG);
  void *const room = ::calloc(1, sizeof(regex_t));
  if (!room) return failed(reading, ENOMEM);
  std::unique_ptr<regex_t, FreeExpression> expression(static_cast<regex_t *>(room));
  int const refused = ::regcomp(expression.get(), pattern.c_str(), REG_EXTENDED);
  if (refused) {
    ::free(expression.release()); // POSIX leaves its contents undefined
    return failed(reading, refused == REG_ESPACE ? ENOMEM : EINVAL);
  }
  auto epoll = Epoll::make();
  if (!epoll) return fail(epoll);
  Fd fifodir(sys::openat(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fifodir.valid()) return failed("open the fifodir");
  mode_t const mask = sys::umask(0);
  auto subscription = fifodir::subscribe(fifodir.get(), ".", 0622, fifodir::ListenerKind::bytes);
  sys::umask(mask);
  if (!subscription) return fail(subscription);
  int const fifo = subscription->fifo.get();
  FifodirWaiter waiter(std::move(fifodir), std::move(*subscription), std::move(*epoll), std::move(expression));
  // Edge-triggered, because epoll reports a FIFO without writers as hung up again and again.
  if (auto const added = waiter.epoll_.add(fifo, EPOLLIN | EPOLLET); !added) return fail(added);
  return waiter;
}

Result<bool> FifodirWaiter::step(List<char> &answer) noexcept {
  constexpr char const *doing = "read events";
  // Take epoll's event first, so that bytes which arrive during the reading make another one.
  struct epoll_event room[1];
  if (auto const heard = epoll_.take(room); !heard) return fail(heard);
  char bytes[4096];
  for (;;) {
    ssize_t const n = sys::read(subscription_.fifo.get(), bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) return failed(doing);
    if (n <= 0) return false;
    std::string_view came(bytes, static_cast<size_t>(n));
    // A null byte would end the text for regexec(3), so null bytes are dropped.
    for (char const c : came)
      if (c && !came_.append(c)) return failed(doing, ENOMEM);
    if (came_.size() > kept_max) came_.erase_front(came_.size() - kept_max);
    if (!came_.append('\0')) return failed(doing, ENOMEM);
    regmatch_t match;
    int const refused = ::regexec(expression_.get(), came_.begin(), 1, &match, 0);
    came_.truncate(came_.size() - 1);
    if (refused == REG_ESPACE) return failed(doing, ENOMEM);
    if (refused) continue;
    auto const from = static_cast<size_t>(match.rm_so), to = static_cast<size_t>(match.rm_eo);
    if (!append_netstring(answer, {came_.begin() + from, to - from})) return failed(doing, ENOMEM);
    return true;
  }
}

} // namespace pm::registry
