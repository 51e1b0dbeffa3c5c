// Handing connections over to a worker.

#include <pm/base/say.h>
#include <pm/base/stream.h>
#include <pm/super/server.h>
#include <string.h>

namespace pm::super {

namespace {
constexpr int warnings = 1, everything = 2;
/** How long a worker may take for those who are under way to it when the server ends, ms. */
constexpr uint32_t patience = 1000;
} // namespace

Done Server::use_worker(LocalAddress const &worker, int socket) noexcept {
  static constexpr Work work = {&Server::offer_again, &Server::has_worker, &Server::hand_over, &Server::hear_worker,
                                &Server::end_worker};
  for (auto const &listener : listeners_)
    if (listener.datagrams) return failed("hand datagrams to", EOPNOTSUPP);
  work_ = &work;
  worker_name_ = worker.text();
  worker_socket_ = socket;
  return worker_queue_.make(worker, options_.most);
}

void Server::offer_again() noexcept {
  // Not for ever: may_ask_anew() has a bound, and what may not be asked at once waits.
  while (has_worker() && !send_on()) {
  }
}

/** False: the worker has ended, and what it did not take is the next one's, at once. What cannot be sent otherwise waits. */
bool Server::send_on() noexcept {
  auto const sent = worker_queue_.send([this](auto... answer) noexcept { answered(answer...); });
  if (sent) return true;
  bool const lives = worker_queue_.is_connected();
  if (lives && options_.verbosity >= warnings) warn_sys(sent.error(), worker_name_);
  // One that closes before it has taken anything is not asked again at once either.
  if (!lives && worker_queue_.may_ask_anew()) return false;
  children_.pause();
  return true;
}

/** Whether a worker is connected; it is started if it is ours to start. Without one nothing is accepted for a while. */
bool Server::has_worker() noexcept {
  if (worker_socket_ >= 0 && !worker_) {
    (void)starts_.count();
    environment_.begin_none();
    auto const started = children_.start(program_, environment_.all(), {{worker_socket_, 0}});
    if (!started) {
      if (options_.verbosity >= warnings) warn_sys(started.error(), program_[0]);
      count_failure();
      children_.pause();
      return false;
    }
    worker_ = *started;
    ++started_;
  }
  if (worker_queue_.is_connected()) return true;
  auto const connected = worker_queue_.connect();
  if (!connected) {
    if (options_.verbosity >= warnings && !absent_) warn_sys(connected.error(), worker_name_);
    absent_ = true;
    children_.pause();
    return false;
  }
  absent_ = false;
  return true;
}

void Server::hand_over(Fd connection, Source const &source) noexcept {
  auto const ticket = worker_queue_.add(static_cast<Fd &&>(connection), environment_.said());
  connections_.add(static_cast<pid_t>(ticket), source);
  if (options_.verbosity >= everything) inform("handed over: ", source.text().view());
  // If it has ended, it will be heard of; what it did not answer for is offered again. Others may have come besides: what is not
  // due yet is sent before anything is waited for.
  if (worker_queue_.is_due()) (void)send_on();
}

void Server::answered(uint32_t ticket, int connection, std::string_view why) noexcept {
  (void)connections_.remove(static_cast<pid_t>(ticket));
  if (connections_.count() == 0) idle_ = Deadline::in(options_.idle);
  if (why.empty()) return;
  if (options_.verbosity >= warnings) warn("the worker has refused a connection: ", why);
  refuse(connection, "the worker does not take it");
}

void Server::hear_worker() noexcept {
  auto const heard = worker_queue_.receive([this](auto... answer) noexcept { answered(answer...); });
  // A worker that closes before it has taken anything is not asked again at once.
  if (!heard && !worker_queue_.may_ask_anew()) children_.pause();
  else if (heard && worker_queue_.has_unsent()) (void)send_on();
}

/** Nobody will be handed to it any more. Who is under way to it is waited for, but not for ever. */
void Server::end_worker() noexcept {
  auto const deadline = Deadline::in(patience);
  while (connections_.count() && worker_queue_.is_connected() && wait_for(worker_queue_.fd(), POLLIN, deadline)) hear_worker();
  sys::kill(worker_, SIGTERM);
}

} // namespace pm::super
