#include <pm/client/handle.h>

#include <pm/base/stream.h>
#include <pthread.h>
#include <unistd.h>
#include <utility>

namespace pm::client {

namespace {

/**
 * The handles of this process. A child that fork(2) makes has copies of their tokens, which would keep alive what its parent
 * has registered when the parent is dead: it closes them before anything else.
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

/** Calls `act` with the list, which no thread changes or forks meanwhile. */
template <class Act>
void with_all(Act act) noexcept {
  ::pthread_mutex_lock(&mutex);
  act();
  ::pthread_mutex_unlock(&mutex);
}

} // namespace

bool open(char const *path, Handle *&handle, Error &error) noexcept {
  auto opened = registry::Registry::open(path ? path : registry::Registry::default_path());
  if (!opened) return fail_with(Why::system, opened.error().code, opened.error().doing, error);
  ::pthread_once(&once, watch_forks);
  auto made = make_box<Handle>(std::move(*opened));
  if (!made) return fail_with(Why::system, ENOMEM, "open the registry", error);
  made->process = ::getpid();
  handle = made.release();
  with_all([&] {
    handle->next = all;
    all = handle;
  });
  return true;
}

void retain(Handle *handle) noexcept {
  ++handle->references;
}

void release(Handle *handle) noexcept {
  if (--handle->references > 0) return;
  with_all([&] {
    Handle **link = &all;
    while (*link && *link != handle) link = &(*link)->next;
    if (*link) *link = handle->next;
  });
  Box<Handle> const last(handle);
}

void drop(Handle &handle) noexcept {
  handle.announcement.reset();
  // One after another: as a chain of destructors it would be as deep as it is long.
  while (handle.held) handle.held = std::move(handle.held->next);
}

void close(Handle *handle) noexcept {
  constexpr Limits second = {1000, -1};
  if (handle->process == ::getpid() && !handle->closed) {
    List<registry::Ticket> tickets;
    bool fits = true;
    auto const add = [&](Held const *held) noexcept {
      for (; held; held = held->next.get())
        for (auto const &place : held->places) fits = fits && tickets.append(place.ticket);
    };
    add(handle->held.get());
    add(handle->announcement.get());
    // As many as one request has room for. What is not unlinked now is dead, and is swept.
    auto ending = editor(*handle, second);
    for (size_t i = 0; fits && i < tickets.size(); i += registry::batch_max)
      if (!ending.remove({tickets.begin() + i, std::min(tickets.size() - i, registry::batch_max)})) break;
  }
  handle->closed = true;
  drop(*handle);
}

bool begin(Handle &handle, Limits limits, Error &error) noexcept {
  if (handle.process != ::getpid()) return fail_with(Why::forked, 0, "", error);
  if (handle.closed) return fail_with(Why::closed, 0, "", error);
  if (limits.stop < 0) return true;
  auto const stopped = wait_for(-1, 0, Deadline::passed(), limits.stop);
  if (stopped.error().code == ETIMEDOUT) return true;
  return fail_with(handle, SysError{stopped.error().code, "wait"}, error);
}

void close_descriptor(int fd) noexcept {
  sys::close(fd);
}

} // namespace pm::client

namespace pm {
Whom Whom::own() noexcept {
  return {1, ::geteuid()};
}
} // namespace pm
