#include "libpm/os/interrupter.h"

#include <signal.h>
#include "libpm/os/sys.h"

namespace pm {

namespace {
constexpr char const *doing = "make a timer for";
/** With a tick every millisecond, pm-superd -w takes 3% more processor time to hand a connection over. */
constexpr long interval_ns = 4'000'000;

/** Not SIGRTMAX itself, which valgrind(1) needs. */
int tick() noexcept {
  return SIGRTMAX - 1;
}

void do_nothing(int) noexcept {}
} // namespace

Done Interrupter::make() noexcept {
  struct sigaction action = {};
  action.sa_handler = do_nothing;
  action.sa_flags = SA_RESTART;
  ::sigemptyset(&action.sa_mask);
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, tick());
  if (::sigaction(tick(), &action, nullptr) < 0 || sys::pthread_sigmask(SIG_UNBLOCK, &set, nullptr) < 0) return failed(doing);
  struct sigevent event = {};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = tick();
  if (sys::timer_create(CLOCK_MONOTONIC, &event, &timer_) < 0) return failed(doing);
  is_made_ = true;
  return {};
}

void Interrupter::before_wait() noexcept {
  if (runs_ && is_idle_) run(false);
}

void Interrupter::after_wait(bool is_idle) noexcept {
  is_idle_ = is_idle;
  if (!runs_) run(true);
}

int Interrupter::poll(struct pollfd *fds, nfds_t count, int ms) noexcept {
  before_wait();
  int const n = sys::poll(fds, count, ms), code = errno;
  after_wait(n <= 0 && ms != 0);
  errno = code;
  return n;
}

Result<std::span<struct epoll_event const>> Interrupter::wait(Epoll &epoll, std::span<struct epoll_event> room, int ms) noexcept {
  before_wait();
  auto const events = epoll.wait(room, ms);
  after_wait(!events || events->empty());
  return events;
}

void Interrupter::run(bool runs) noexcept {
  struct itimerspec time = {};
  if (runs) time.it_interval.tv_nsec = time.it_value.tv_nsec = interval_ns;
  if (is_made_ && sys::timer_settime(timer_, 0, &time, nullptr) == 0) runs_ = runs;
}

Interrupter::~Interrupter() {
  if (is_made_) ::timer_delete(timer_);
}

} // namespace pm
