#include "libpm/client/handle.h"

#include <pthread.h>
#include <unistd.h>
#include <algorithm>
#include <utility>
#include "libpm/os/stream.h"

namespace pm::client {

namespace {

/**
 * The list of this process's handles. After fork(2) the child has copies of their tokens, which would keep the registrations
 * alive after the parent has ended. A pthread_atfork(3) handler closes them in the child.
 */
pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_once_t once = PTHREAD_ONCE_INIT;
Handle *all = nullptr;

void before_fork() noexcept {
  ::pthread_mutex_lock(&mutex);
}
void after_fork() noexcept {
  ::pthread_mutex_unlock(&mutex);
}
void in_child() noexcept {
  for (Handle *handle = all; handle; handle = handle->next) drop(*handle);
  ::pthread_mutex_unlock(&mutex);
}
void watch_forks() noexcept {
  ::pthread_atfork(before_fork, after_fork, in_child);
}

/** Calls `act` with the list locked: no other thread changes it or forks meanwhile. */
template <class Act>
void with_all(Act act) noexcept {
  ::pthread_mutex_lock(&mutex);
  act();
  ::pthread_mutex_unlock(&mutex);
}

} // namespace

bool open(char const *path, Handle *&handle, Error &error) noexcept {
  auto opened = registry::Tree::open(path ? path : registry::Tree::default_path());
  if (!opened) return fail_with(opened.error(), error);
  ::pthread_once(&once, watch_forks);
  auto made = make_box<Handle>(std::move(*opened));
  if (!made) return fail_with(Error::system, ENOMEM, "open the registry", error);
  made->process = ::getpid();
  handle = made.release();
  with_all([&] {
    handle->next = all;
    all = handle;
  });
  return true;
}

void destroy(Handle *handle) noexcept {
  with_all([&] {
    Handle **link = &all;
    while (*link && *link != handle) link = &(*link)->next;
    if (*link) *link = handle->next;
  });
  Box<Handle> const last(handle);
}

void drop(Handle &handle) noexcept {
  handle.announcement.reset();
  // A loop, because the destructor of a list recurses as deep as the list is long.
  while (handle.held) handle.held = std::move(handle.held->next);
}

registry::Answer<unsigned> remove_all(Handle &handle, std::span<registry::Ticket const> tickets, Limit limit) noexcept {
  auto ending = change(handle, limit);
  unsigned removed = 0;
  while (!tickets.empty()) {
    auto const some = tickets.first(std::min(tickets.size(), registry::batch_max));
    auto const count = ending.remove(some);
    if (!count) return count;
    removed += *count;
    tickets = tickets.subspan(some.size());
  }
  return removed;
}

void close(Handle *handle) noexcept {
  if (handle->process == ::getpid() && !handle->closed) {
    List<registry::Ticket> tickets;
    bool fits = true;
    auto const add = [&](HeldTogether const *held) noexcept {
      for (; held; held = held->next.get())
        for (auto const &one : held->registrations) fits = fits && tickets.append(one.ticket);
    };
    add(handle->held.get());
    add(handle->announcement.get());
    // Files that are not removed within a second are dead, and a sweep removes them later.
    if (fits) (void)remove_all(*handle, {tickets.begin(), tickets.size()}, Limit::in(1000));
  }
  handle->closed = true;
  drop(*handle);
}

bool begin(Handle *handle, Limit limit, Error &error) noexcept {
  if (handle && handle->process != ::getpid()) return fail_with(Error::forked, 0, "", error);
  if (!handle || handle->closed) return fail_with(Error::closed, 0, "", error);
  if (limit.stop < 0) return true;
  auto const stopped = wait_for(-1, 0, {Deadline::passed(), limit.stop});
  if (stopped || stopped.error().code == ETIMEDOUT) return true;
  return fail(*handle, SysError{stopped.error().code, "wait"}, error);
}

bool fail(Handle &handle, registry::Failure const &failure, Error &error) noexcept {
  fail_with(failure, error);
  if (error.reason == Error::cancelled) {
    handle.closed = true;
    drop(handle);
  }
  return false;
}

} // namespace pm::client
