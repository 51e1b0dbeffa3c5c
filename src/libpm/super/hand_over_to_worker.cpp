#include "libpm/super/hand_over_to_worker.h"

#include <utility>
#include "libpm/os/blocking.h"
#include "libpm/os/stream.h"

namespace pm::super {

namespace {
/** How long end() waits for the worker's answers, ms. */
constexpr uint32_t answers_at_end_ms = 1000;
} // namespace

Done HandOverToWorker::make(SockAddr const &worker, int socket, ServerUsers &&trusted) noexcept {
  name_ = worker.local_name();
  socket_ = socket;
  queue_.trust(std::move(trusted));
  return queue_.make(worker, context_.options.most);
}

bool HandOverToWorker::start_worker() noexcept {
  if (auto const set = set_blocking(socket_, context_.options.blocking); !set) {
    context_.log.failure(set.error(), name_.view());
    return false;
  }
  context_.environment.describe_nothing();
  auto const child = context_.starter.start(context_.environment.all(), {{socket_, 0}});
  if (child) worker_ = *child;
  return child.has_value();
}

bool HandOverToWorker::get_ready() noexcept {
  bool const runs = socket_ < 0 || worker_ || start_worker();
  if (runs && queue_.is_connected()) return true;
  if (runs) {
    auto const connected = queue_.connect();
    if (connected && !*connected) {
      is_absence_logged_ = false;
      return true;
    }
    if (!is_absence_logged_ && !connected) context_.log.failure(connected.error(), name_.view());
    if (!is_absence_logged_ && connected) context_.log.worker_not_trusted(name_.view(), **connected);
    is_absence_logged_ = true;
  }
  context_.children.pause().begin();
  return false;
}

void HandOverToWorker::before_wait() noexcept {
  // Offer connections without an answer again as soon as a worker is there. may_ask_anew() bounds the loop.
  if (!context_.counts.count() || context_.children.pause().is_on()) return;
  while (get_ready() && !send()) {
  }
}

/** Sends as many offers as the socket has room for. False: the worker has ended, and the next worker may be asked at once. */
bool HandOverToWorker::send() noexcept {
  auto const sent = queue_.send([this](auto... answer) noexcept { answered(answer...); });
  if (sent) return true;
  if (queue_.is_connected()) context_.log.failure(sent.error(), name_.view());
  else if (queue_.may_ask_anew()) return false;
  // The kernel has no room for descriptors in flight, or the worker closes before it takes a connection.
  context_.children.pause().begin();
  return true;
}

void HandOverToWorker::take(AcceptedConnection &&connection) noexcept {
  ClientKey const whole = connection.whole_client();
  auto const number = context_.counts.add(connection.client);
  auto const added = queue_.add(std::move(connection.fd), number, context_.environment.ucspi());
  if (!added) {
    context_.counts.remove(number);
    context_.log.failure(added.error(), name_.view());
    return context_.refuser.refuse(connection.fd.get(), "out of resources");
  }
  context_.log.handed_over(whole);
  // If the worker has ended, poll(2) reports it, and before_wait() offers the connection to the next worker.
  (void)send();
}

void HandOverToWorker::answered(ClientNumber client, int connection, std::string_view why) noexcept {
  context_.counts.remove(client);
  if (why.empty()) return;
  context_.log.worker_refused(why);
  context_.refuser.refuse(connection, "the worker does not take it");
}

struct pollfd HandOverToWorker::events() const noexcept {
  return {queue_.fd(), static_cast<short>(queue_.is_stuck() ? POLLIN | POLLOUT : POLLIN), 0};
}

void HandOverToWorker::on_events() noexcept {
  auto const received = queue_.receive([this](auto... answer) noexcept { answered(answer...); });
  // Do not ask again at once if the worker closes before it has taken a connection.
  if (!received && !queue_.may_ask_anew()) context_.children.pause().begin();
  else if (received && queue_.has_unsent()) (void)send();
}

void HandOverToWorker::child_ended(pid_t child, int status) noexcept {
  if (!worker_ || child != worker_) return;
  worker_ = 0;
  context_.log.worker_ended(status);
  context_.starter.worker_ended(status);
  if (!queue_.may_ask_anew()) context_.children.pause().begin();
}

void HandOverToWorker::send_signal(int signal) const noexcept {
  if (worker_) sys::kill(worker_, signal);
}

void HandOverToWorker::end() noexcept {
  if (!worker_) return;
  auto const deadline = time_limit(answers_at_end_ms);
  while (context_.counts.count() && queue_.is_connected() && wait_for(queue_.fd(), POLLIN, deadline)) on_events();
  sys::kill(worker_, SIGTERM);
}

} // namespace pm::super
