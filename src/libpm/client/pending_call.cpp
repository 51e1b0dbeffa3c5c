#include "libpm/client/pending_call.h"

#include "libpm/message/status.h"

namespace pm::client {

void EndPendingCall::operator()(PendingCall *call) const noexcept {
  call->end_(call);
}

void *PendingCall::run(void *argument) noexcept {
  auto *const call = static_cast<PendingCall *>(argument);
  int const done = call->done_;
  call->run_(*call, *call->tree_, call->limit_);
  uint64_t const one = 1;
  (void)!sys::write(done, &one, sizeof one);
  return nullptr;
}

Done PendingCall::start(pm_registry &handle, Limit limit) noexcept {
  constexpr char const *doing = "start a call";
  tree_ = &handle.tree;
  done_ = handle.done.get();
  limit_ = {limit.deadline, handle.cancel.get()};
  if (limit.stop >= 0) {
    auto stops = Epoll::make();
    if (!stops) return fail(stops);
    for (int const stop : {limit.stop, handle.cancel.get()})
      if (auto const added = stops->add(stop, EPOLLIN); !added) return failed(doing, added.error().code);
    limit_.stop = stops->fd();
    stops_.emplace(static_cast<Epoll &&>(*stops));
  }
  return thread_.start(run, this);
}

namespace {
/** Takes what the two eventfds have. Returns false if the call is not done. */
bool take_done(pm_registry &handle) noexcept {
  uint64_t count;
  (void)!sys::read(handle.cancel.get(), &count, sizeof count);
  return sys::read(handle.done.get(), &count, sizeof count) > 0;
}
} // namespace

int cancel_pending(pm_registry &handle) noexcept {
  uint64_t const one = 1;
  (void)!sys::write(handle.cancel.get(), &one, sizeof one);
  handle.pending->join();
  // The next call of the handle is neither cancelled nor done.
  (void)take_done(handle);
  auto const call = std::move(handle.pending);
  return call->finish(handle);
}

int fail_and_close(pm_registry &handle, Error const &error) noexcept {
  int const result = fail(error);
  if (result != PM_CANCELLED) return result;
  handle.closed = true;
  NoForks const lock;
  handle.drop();
  return result;
}

int check_stop(pm_registry &handle, int stop, bool closes) noexcept {
  if (stop < 0) return 0;
  auto const stopped = is_ready(stop);
  if (stopped && !*stopped) return 0;
  auto const error = message::error_of(SysError{stopped ? ECANCELED : stopped.error().code, "wait"});
  return closes ? fail_and_close(handle, error) : fail(error);
}

} // namespace pm::client

using namespace pm;
using namespace pm::client;

int pm_fd(pm_registry const *registry) {
  if (registry && registry->done.valid()) return registry->done.get();
  return client::fail(Status::invalid_state, "the handle is not of PM_NONBLOCK");
}

int pm_finish(pm_registry *registry) {
  if (!registry || !registry->pending) return client::fail(Status::invalid_state, "no call is pending");
  if (registry->open.is_forked()) return client::fail(Status::forked);
  if (!take_done(*registry)) return client::fail(Status::pending);
  registry->pending->join();
  auto const call = std::move(registry->pending);
  return call->finish(*registry);
}
