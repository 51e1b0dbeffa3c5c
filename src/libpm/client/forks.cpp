#include "libpm/client/forks.h"

#include <pthread.h>

namespace pm::client {

/** The list of them in this process. */
struct OpenHandles {
  static inline pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  static inline pthread_once_t once = PTHREAD_ONCE_INIT;
  static inline OpenHandle *first = nullptr;

  static void before_fork() noexcept { ::pthread_mutex_lock(&mutex); }
  static void after_fork() noexcept { ::pthread_mutex_unlock(&mutex); }
  static void in_child() noexcept {
    for (OpenHandle *one = first; one; one = one->next_) {
      one->forked_ = true;
      one->drop_(one->handle_);
    }
    ::pthread_mutex_unlock(&mutex);
  }
  static void watch_forks() noexcept { ::pthread_atfork(before_fork, after_fork, in_child); }

  static void add(OpenHandle &one) noexcept {
    ::pthread_mutex_lock(&mutex);
    one.next_ = first;
    first = &one;
    ::pthread_mutex_unlock(&mutex);
  }
  static void remove(OpenHandle &one) noexcept {
    ::pthread_mutex_lock(&mutex);
    OpenHandle **link = &first;
    while (*link && *link != &one) link = &(*link)->next_;
    if (*link) *link = one.next_;
    ::pthread_mutex_unlock(&mutex);
  }
};

OpenHandle::OpenHandle(void (*drop)(void *) noexcept, void *handle) noexcept : drop_(drop), handle_(handle) {
  ::pthread_once(&OpenHandles::once, OpenHandles::watch_forks);
  OpenHandles::add(*this);
}

OpenHandle::~OpenHandle() {
  OpenHandles::remove(*this);
}

NoForks::NoForks() noexcept {
  ::pthread_mutex_lock(&OpenHandles::mutex);
}

NoForks::~NoForks() {
  ::pthread_mutex_unlock(&OpenHandles::mutex);
}

} // namespace pm::client
