// The loop, signals, and the ends of children.

#include <fcntl.h>
#include <pm/base/readiness.h>
#include <pm/base/say.h>
#include <pm/fifodir/inherited.h>
#include <pm/super/server.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>

namespace pm::super {

namespace {

constexpr int everything = 2;

Fd open_null() noexcept {
  return Fd(sys::openat(AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC));
}

/** What we have sent is no failure of its own. */
bool is_failure(int status) noexcept {
  return WIFSIGNALED(status) ? WTERMSIG(status) != SIGTERM : WEXITSTATUS(status) != 0;
}

int sooner(int a, int b) noexcept {
  return a < 0 ? b : b < 0 ? a : std::min(a, b);
}

} // namespace

Done Server::take_signals() noexcept {
  auto const taken = children_.take_signals({SIGCHLD, SIGTERM, SIGHUP, SIGQUIT, SIGABRT, SIGUSR1});
  if (!taken) return failed("trap signals besides", taken.error().code);
  return {};
}

Done Server::listen_on(std::span<int const> fds, std::string_view const *names) noexcept {
  for (size_t i = 0; i < fds.size(); ++i) {
    failed_at_ = fds[i];
    auto const listener = Listener::adopt(fds[i], names ? names[i] : std::string_view());
    if (!listener) return fail(listener);
    if (!listeners_.append(*listener)) return failed("have memory for", ENOMEM);
    // Whoever does not read what woke him would be started again at once, and for ever.
    if (listener->datagrams && !starts_.is_limited()) starts_ = Rate(datagram_starts, datagram_starts_ms);
  }
  return {};
}

Result<bool> Server::run() noexcept {
  if (auto const prepared = prepare(); !prepared) return fail(prepared);
  if (options_.verbosity >= everything) inform("starting");
  say_status();
  announce();
  reap(true);
  idle_ = Deadline::in(options_.idle);
  if (auto const served = serve(); !served) return fail(served);
  if (worker_) (this->*work_->end_worker)();
  if (options_.verbosity >= everything) inform("exiting");
  return !gave_up_;
}

Done Server::prepare() noexcept {
  if (!options_.most_of_one || options_.most_of_one > options_.most) options_.most_of_one = options_.most;
  spare_ = open_null();
  if (!spare_.valid()) return failed("open /dev/null besides");
  if (options_.ready != 1 && sys::dup3(spare_.get(), 1, O_CLOEXEC) < 0) return failed("let go of standard output besides");
  fifodir::keep_from_children(::getenv(fifodir::inherited_variable));
  return environment_.make();
}

void Server::announce() noexcept {
  notify_readiness(::getenv("NOTIFY_SOCKET"));
  if (options_.ready < 0) return;
  (void)!sys::write(options_.ready, "\n", 1);
  // Closed, with no connection ever to get number 1.
  if (options_.ready != 1) sys::close(options_.ready);
  else if (sys::dup3(spare_.get(), 1, O_CLOEXEC) < 0) bug("no descriptor 1");
}

/** Whether there is room, and time, for one more. */
bool Server::may_start() noexcept {
  if (connections_.full() || children_.is_paused() || worker_queue_.is_stuck()) return false;
  bool const limited = starts_.wait() > 0;
  if (limited && !limited_ && options_.verbosity >= 1)
    warn("pausing: ", (Text<64>() << starts_.number() << " starts in " << starts_.ms() << " ms").view());
  limited_ = limited;
  return !limited;
}

int Server::timeout() const noexcept {
  int result = sooner(children_.pause_left(), children_.sweep_left());
  if (limited_) result = sooner(result, starts_.wait());
  if (options_.idle && !closing_ && !is_busy()) result = sooner(result, idle_.remaining());
  return result;
}

Done Server::serve() noexcept {
  while (going_on_) {
    // Whether there is room is worth a look at all of them.
    if (int const left = children_.sweep_left(); left == 0 || (left > 0 && connections_.full())) reap(true);
    bool const paused = children_.is_paused();
    // Whoever was not taken needs a worker, and is offered again as soon as there is one.
    if (work_ && connections_.count() && !paused) (this->*work_->offer_again)();
    struct pollfd fds[2 + listen_fds_max];
    fds[0] = {children_.fd(), POLLIN, 0};
    bool const accepting = may_start();
    // No more than there are: poll takes no more than a process may have descriptors.
    size_t count = 1;
    for (auto const &one : listeners_) fds[count++] = {accepting && !one.child ? one.fd : -1, POLLIN, 0};
    if (work_) fds[count++] = {worker_queue_.fd(), static_cast<short>(worker_queue_.is_stuck() ? POLLIN | POLLOUT : POLLIN), 0};
    // What was not done because of a pause that is over by now is not waited for.
    int const n = sys::poll(fds, count, paused && !children_.is_paused() ? 0 : timeout());
    if (n < 0 && errno != EINTR) return failed("wait for connections on");
    if (n <= 0) {
      if (n == 0) end_if_idle();
      continue;
    }
    if (fds[0].revents) handle_signal();
    if (work_ && fds[count - 1].revents) (this->*work_->hear_worker)();
    for (size_t i = 1; i <= listeners_.size() && going_on_; ++i) {
      if (!fds[i].revents) continue;
      if (auto const accepted = accept_some(listeners_[i - 1]); !accepted) return accepted;
    }
    if (closing_) end_if_closed();
  }
  return {};
}

/** Nobody has been here for long enough. Who comes in this moment is either served yet, or refused as by a server that has ended. */
void Server::end_if_idle() noexcept {
  if (!options_.idle || closing_ || is_busy() || idle_.remaining() != 0) return;
  // Also those that are not looked at now, because of a limit.
  for (auto &listener : listeners_) {
    struct pollfd waiting = {listener.fd, POLLIN, 0};
    if (sys::poll(&waiting, 1, 0) == 0) continue;
    idle_ = Deadline::in(options_.idle);
    return;
  }
  for (auto &listener : listeners_)
    // Of a Unix socket: nobody is queued any more, and who was can be accepted. Of TCP it would reset who was.
    if (!options_.own || !listener.is_local() || listener.datagrams || sys::shutdown(listener.fd, SHUT_RD) < 0) listener.fd = -1;
  closing_ = true;
  if (options_.verbosity >= everything) inform("idle, quitting");
  end_if_closed();
}

/** Nothing is left to accept, and nobody to wait for: a worker that has all that it is to have ends as at any end. */
void Server::end_if_closed() noexcept {
  going_on_ = going_on_ && (connections_.count() || std::any_of(listeners_.begin(), listeners_.end(),
                                                                [](Listener const &one) noexcept { return one.fd >= 0; }));
}

void Server::handle_signal() noexcept {
  // One at a time: if there are more, poll says so.
  struct {
    int signal;
    char const *means;
  } const known[] = {{SIGTERM, "SIGTERM, quitting"},
                     {SIGHUP, "SIGHUP, sending SIGTERM+SIGCONT to all connections"},
                     {SIGQUIT, "SIGQUIT, sending SIGTERM+SIGCONT to all connections and quitting"},
                     {SIGABRT, "SIGABRT, sending SIGKILL to all connections and quitting"}};
  int const signal = children_.next_signal();
  if (signal == SIGCHLD) return reap(false);
  for (auto const &one : known)
    if (one.signal == signal && options_.verbosity >= everything) inform("received ", one.means);
  if (signal == SIGTERM || signal == SIGQUIT || signal == SIGABRT) going_on_ = false;
  if (signal == SIGABRT) signal_all(SIGKILL);
  if (signal == SIGHUP || signal == SIGQUIT) {
    signal_all(SIGTERM);
    signal_all(SIGCONT);
  }
  if (signal == SIGUSR1)
    inform("status: ", (Text<128>() << connections_.count() << '/' << options_.most << ", started " << started_ << ", refused "
                                    << refused_ << ", failed " << failed_)
                           .view());
}

void Server::signal_all(int signal) const noexcept {
  if (worker_) sys::kill(worker_, signal);
  // Of those that are handed over there are no children.
  if (work_) return;
  // Its pid is a child's until it is waited for.
  connections_.each_child([=](pid_t child) noexcept { sys::kill(child, signal); });
}

void Server::reap(bool all) noexcept {
  auto const forget = [&](pid_t child, int status) noexcept {
    if (child == worker_ && worker_) return forget_worker(status);
    auto const source = work_ ? std::nullopt : connections_.remove(child);
    if (!source) return;
    for (auto &listener : listeners_)
      if (listener.child == child) listener.child = 0;
    if (connections_.count() == 0) idle_ = Deadline::in(options_.idle);
    if (is_failure(status)) count_failure();
    if (options_.verbosity < everything) return;
    Text<128> how;
    how << "end pid " << child << ' ' << source->text().view();
    if (WIFSIGNALED(status)) how << " signal " << WTERMSIG(status);
    else how << " exitcode " << WEXITSTATUS(status);
    inform(how.view());
    say_status();
  };
  if (all) children_.reap(forget);
  else children_.reap_named(forget);
}

/** Who has it answered for has it; the rest waits here, and has another started. */
void Server::forget_worker(int status) noexcept {
  worker_ = 0;
  if (!is_busy()) idle_ = Deadline::in(options_.idle);
  if (options_.verbosity >= 1) warn("the worker has ended", WIFSIGNALED(status) ? " by a signal" : "");
  if (is_failure(status)) count_failure();
  // One that ends before it has taken anything is not started again at once.
  if (!worker_queue_.may_ask_anew()) children_.pause();
}

void Server::count_failure() noexcept {
  ++failed_;
  if (!failures_.is_limited() || !failures_.count() || failures_.wait() == 0) return;
  gave_up_ = true;
  going_on_ = false;
}

void Server::say_status() const noexcept {
  if (options_.verbosity >= everything) inform("status: ", (Text<32>() << connections_.count() << '/' << options_.most).view());
}

} // namespace pm::super
