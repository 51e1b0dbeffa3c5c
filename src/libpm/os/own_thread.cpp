#include "libpm/os/own_thread.h"

#include <signal.h>
#include "libpm/os/sys.h"

namespace pm {

namespace {
/** For the deepest call of the library, in bytes. Pages that are not used take no memory. */
constexpr size_t stack_size = 1 << 20;
} // namespace

Done OwnThread::start(void *(*run)(void *), void *argument) noexcept {
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_size);
  sys::pthread_sigmask(SIG_SETMASK, &all, &before);
  int const code = ::pthread_create(&thread_, &attributes, run, argument);
  sys::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  return code ? failed("start a thread", code) : Done();
}

void OwnThread::join() noexcept {
  int cancellable;
  ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellable);
  ::pthread_join(thread_, nullptr);
  ::pthread_setcancelstate(cancellable, nullptr);
}

} // namespace pm
