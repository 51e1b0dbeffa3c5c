/** Threads of the library. */
#pragma once

#include <pthread.h>
#include "libpm/util/result.h"

namespace pm {

/** A thread of the library in a program of another: it blocks all signals, so the program's handlers run in the program's threads. */
class OwnThread {
 public:
  /** EAGAIN: there are too many. `run` gets `argument`, and its result is ignored. */
  [[nodiscard]] Done start(void *(*run)(void *), void *argument) noexcept;
  /** Waits for its end, also when the calling thread is cancelled. Call it once after start(). */
  void join() noexcept;

 private:
  pthread_t thread_ = {};
};

} // namespace pm
