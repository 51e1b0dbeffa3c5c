#include "libpm/super/super_server.h"
#include "libpm/os/stream.h"

#include <fcntl.h>
#include <algorithm>

namespace pm::super {

Done SuperServer::take_signals() noexcept {
  return context_.children.take_signals({SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGABRT, SIGUSR1});
}

Done SuperServer::serve_sockets(std::span<int const> fds, std::string_view const *names) noexcept {
  for (size_t i = 0; i < fds.size(); ++i) {
    failed_at_ = fds[i];
    auto const socket = ServedSocket::adopt(fds[i], names ? names[i] : std::string_view());
    if (!socket) return fail(socket);
    if (!sockets_.append(*socket)) return failed("allocate memory for", ENOMEM);
    if (socket->datagrams) context_.starter.limit_starts(datagram_starts, datagram_starts_ms);
  }
  return {};
}

Done SuperServer::use_worker(SockAddr const &worker, int socket, ServerUsers &&trusted) noexcept {
  for (auto const &one : sockets_)
    if (one.datagrams) return failed("hand datagrams to", EOPNOTSUPP);
  handler_ = &worker_;
  return worker_.make(worker, socket, std::move(trusted));
}

Done SuperServer::prepare() noexcept {
  auto &options = context_.options;
  if (!options.most_of_one || options.most_of_one > options.most) options.most_of_one = options.most;
  auto done = context_.counts.make(options.most);
  if (done && handler_ == &spawn_) done = spawn_.make(options.most);
  if (done) done = acceptor_.make();
  if (done) done = context_.environment.make();
  if (done) done = interrupter_.make();
  if (!done) return done;
  if (options.ready != 1 && sys::dup3(acceptor_.null(), 1, O_CLOEXEC) < 0) return failed("close standard output");
  context_.log.starting();
  return {};
}

Result<bool> SuperServer::run() noexcept {
  if (context_.options.ready == 1 && sys::dup3(acceptor_.null(), 1, O_CLOEXEC) < 0) return failed("close standard output");
  reap_all();
  restart_idle_time();
  auto const served = serve();
  accepted_from_.restore();
  if (!served) return fail(served);
  acceptor_.refuse_waiting();
  handler_->end();
  context_.log.exiting();
  return !context_.starter.gave_up();
}

int SuperServer::timeout() const noexcept {
  int result = shorter(context_.children.pause().left(), context_.children.sweep_left());
  result = shorter(result, context_.starter.wait());
  if (context_.options.idle && !closing_ && !is_busy()) result = shorter(result, idle_.remaining());
  return result;
}

Done SuperServer::serve() noexcept {
  while (is_going_on()) {
    watch_idle_time();
    // When a client waits for a place, look for ended children at once, because each makes room.
    bool const is_awaited = context_.counts.full() || context_.waiting.count();
    if (int const left = context_.children.sweep_left(); left == 0 || (left > 0 && is_awaited)) reap_all();
    bool const was_paused = context_.children.pause().is_on();
    handler_->before_wait();
    acceptor_.start_waiting(*handler_);
    // A child that was just reaped, or a program that did not start, may have been the last failure that is allowed.
    if (!is_going_on()) break;
    struct pollfd fds[2 + listen_fds_max];
    bool const starting = acceptor_.may_start(*handler_), accepting = acceptor_.may_accept(*handler_);
    size_t count = 0;
    for (auto const &socket : sockets_) {
      bool const serving = socket.datagrams ? starting && !socket.program : accepting;
      fds[count++] = {serving ? socket.fd : -1, POLLIN, 0};
    }
    auto &signals = fds[count++] = {context_.children.fd(), POLLIN, 0};
    auto &of_handler = fds[count] = handler_->events();
    // poll(2) fails if the number of elements exceeds RLIMIT_NOFILE, so do not pass an unused one.
    if (of_handler.fd >= 0) ++count;
    // If the pause has ended since was_paused was read, do not wait, so that the delayed work is done now.
    int const n = interrupter_.poll(fds, count, was_paused && !context_.children.pause().is_on() ? 0 : timeout());
    if (n < 0 && errno != EINTR) return failed("wait for connections on");
    if (n == 0) end_if_idle();
    if (n <= 0) continue;
    if (signals.revents) handle_signal();
    if (of_handler.revents) handler_->on_events();
    for (size_t i = 0; i < sockets_.size() && is_going_on(); ++i) {
      if (!fds[i].revents) continue;
      if (auto const served = serve_socket(sockets_[i]); !served) return served;
    }
    if (closing_) end_if_closed();
  }
  return {};
}

Done SuperServer::serve_socket(ServedSocket &socket) noexcept {
  failed_at_ = socket.fd;
  if (socket.datagrams) {
    handler_->take_datagrams(socket);
    return {};
  }
  // Each time: another super-server on the same socket restores its mode when it ends, and then accept(2) would block.
  if (auto const added = accepted_from_.add(socket.fd); !added) return added;
  return acceptor_.accept_some(socket, *handler_, closing_);
}

/** Restarts the idle time when the last connection or the worker has ended. */
void SuperServer::watch_idle_time() noexcept {
  bool const is_busy_now = is_busy();
  if (was_busy_ && !is_busy_now) restart_idle_time();
  was_busy_ = is_busy_now;
}

/**
 * Ends if the idle time has passed. A client that connects at this moment is served, or refused as by a server that has ended.
 */
void SuperServer::end_if_idle() noexcept {
  if (!context_.options.idle || closing_ || is_busy() || idle_.remaining() != 0) return;
  // Look at all sockets, also at those that the last poll(2) left out because of a limit.
  for (auto const &socket : sockets_)
    if (is_ready(socket.fd).value_or(false)) return restart_idle_time();
  // After shutdown(2) a Unix socket gets no more connections, and its queue can still be accepted. TCP would reset the queue.
  for (auto &socket : sockets_) {
    bool const can_close = context_.options.own && socket.is_local() && !socket.datagrams;
    if (!can_close || sys::shutdown(socket.fd, SHUT_RD) < 0) socket.fd = -1;
  }
  closing_ = true;
  context_.log.idle();
  end_if_closed();
}

/**
 * Ends when all sockets are closed and no connection is left. A worker that has answered all offers gets SIGTERM, as at any end.
 */
void SuperServer::end_if_closed() noexcept {
  bool const is_open =
      std::any_of(sockets_.begin(), sockets_.end(), [](ServedSocket const &one) noexcept { return one.fd >= 0; });
  if (!is_open && !context_.counts.count() && !context_.waiting.count()) ended_ = true;
}

void SuperServer::handle_signal() noexcept {
  struct {
    int signal;
    char const *what;
  } constexpr known[] = {{SIGTERM, "SIGTERM, quitting"},
                         {SIGINT, "SIGINT, quitting"},
                         {SIGHUP, "SIGHUP, sending SIGTERM+SIGCONT to all connections"},
                         {SIGQUIT, "SIGQUIT, sending SIGTERM+SIGCONT to all connections and quitting"},
                         {SIGABRT, "SIGABRT, sending SIGKILL to all connections and quitting"}};
  // One signal for each call: if more have come, the next poll(2) reports them.
  int const signal = context_.children.next_signal();
  for (auto const &one : known)
    if (one.signal == signal) context_.log.signal(one.what);
  switch (signal) {
    case SIGCHLD: context_.children.reap_named([this](auto... end) noexcept { child_ended(end...); }); break;
    case SIGTERM:
    case SIGINT: ended_ = true; break;
    case SIGQUIT: ended_ = true; [[fallthrough]];
    case SIGHUP:
      handler_->send_signal(SIGTERM);
      handler_->send_signal(SIGCONT);
      break;
    case SIGABRT:
      ended_ = true;
      handler_->send_signal(SIGKILL);
      break;
    case SIGUSR1: context_.log.full_status(); break;
  }
}

void SuperServer::child_ended(pid_t child, int status) noexcept {
  handler_->child_ended(child, status);
}

void SuperServer::reap_all() noexcept {
  context_.children.reap([this](auto... end) noexcept { child_ended(end...); });
  watch_idle_time();
}

} // namespace pm::super
