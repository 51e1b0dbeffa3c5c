#include "libpm/os/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include "libpm/os/in_child.h"
#include "libpm/os/keep_only.h"

namespace pm {

namespace {

constexpr char const *doing = "take the lock";

/**
 * flock(2) has no deadline, and a signal to interrupt it could disturb the program's own signals. So a child waits instead: the
 * lock belongs to the open file, which both processes share. Only a contended lock has this cost. The child writes a byte when it
 * has the lock.
 */
Done wait_in_child(int file, Limit limit) noexcept {
  char byte;
  auto const locked = in_child(
      [file](int pipe) noexcept {
        // Close everything else: a token that this child kept open would seem to be held after the parent has ended.
        int kept[] = {file, pipe};
        keep_only(kept);
        int done;
        do done = ::flock(file, LOCK_EX);
        while (done < 0 && errno == EINTR);
        if (done == 0) (void)!::write(pipe, "", 1);
      },
      {&byte, 1}, doing, limit);
  if (!locked) return fail(locked);
  return *locked ? Done() : failed(doing, ENOLCK);
}

} // namespace

Result<Lock> Lock::take(int dir, char const *path, Limit limit) noexcept {
  return take(Fd(sys::openat(dir, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)), limit);
}

Result<Lock> Lock::take_directory(int dir, char const *path, Limit limit) noexcept {
  return take(Fd(sys::openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), limit);
}

Result<Lock> Lock::take(Fd file, Limit limit) noexcept {
  if (!file.valid()) return failed("open the lock");
  if (sys::flock(file.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) return failed(doing);
    if (limit.deadline.remaining() == 0) return failed(doing, ETIMEDOUT);
    if (auto const waited = wait_in_child(file.get(), limit); !waited) return fail(waited);
  }
  return Lock(static_cast<Fd &&>(file));
}

Fd Lock::release() noexcept {
  // Closing may not be enough: a child forked meanwhile may share the open file, and so keep the lock.
  if (file_.valid() && sys::flock(file_.get(), LOCK_UN) < 0) file_.reset();
  return static_cast<Fd &&>(file_);
}

Lock::~Lock() {
  (void)release();
}

} // namespace pm
