#include "libpm/os/own_umask.h"

#include <fcntl.h>
#include <sched.h>
#include "libpm/os/own_thread.h"
#include "libpm/os/sys.h"
#include "libpm/util/text.h"

namespace pm {

namespace {

/** Whether the umask takes a bit of 0755. True also where /proc does not show it. */
bool masks_directories() noexcept {
  Fd const status(sys::openat(AT_FDCWD, "/proc/thread-self/status", O_RDONLY | O_CLOEXEC));
  char text[512];
  ssize_t const n = status.valid() ? sys::read(status.get(), text, sizeof text) : 0;
  if (n <= 0) return true;
  constexpr std::string_view field = "\nUmask:\t";
  std::string_view rest(text, static_cast<size_t>(n));
  size_t const at = rest.find(field);
  if (at == rest.npos) return true;
  rest.remove_prefix(at + field.size());
  unsigned umask = 0;
  for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '7'; rest.remove_prefix(1))
    umask = umask * 8 + static_cast<unsigned>(rest.front() - '0');
  return umask & 0755;
}

struct Task {
  Callback<void()> const &work;
  int error = 0;
};

void *run(void *argument) noexcept {
  auto *const task = static_cast<Task *>(argument);
  if (::unshare(CLONE_FS) < 0) {
    task->error = errno;
    return nullptr;
  }
  sys::umask(0);
  task->work();
  return nullptr;
}

} // namespace

Done with_own_umask(Callback<void()> work) noexcept {
  if (!masks_directories()) return (work(), Done());
  Task task{work};
  OwnThread thread;
  if (auto const started = thread.start(run, &task); !started) return started;
  thread.join();
  return task.error ? failed("leave the umask alone while changing the registry", task.error) : Done();
}

} // namespace pm
