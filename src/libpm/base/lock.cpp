#include <pm/base/lock.h>

#include <fcntl.h>
#include <pm/base/in_child.h>
#include <pm/base/keep_only.h>
#include <sys/file.h>
#include <unistd.h>

namespace pm {

namespace {

constexpr char const *doing = "take the lock";

/**
 * flock has no deadline and a signal would be the program's business, so a child waits in our place: the lock belongs
 * to the open file that both share. Only a contended lock costs this. A byte says the child has it.
 */
Done wait_in_child(int file, Deadline deadline, int stop) noexcept {
  char byte;
  auto const locked = in_child(
      [file](int pipe) noexcept {
        // With nothing of the parent's but these: what it held would seem to live on.
        int kept[] = {file, pipe};
        keep_only(kept);
        int done;
        do done = ::flock(file, LOCK_EX);
        while (done < 0 && errno == EINTR);
        if (done == 0) (void)!::write(pipe, "", 1);
      },
      {&byte, 1}, doing, deadline, stop);
  if (!locked) return fail(locked);
  return *locked ? Done() : failed(doing, ENOLCK);
}

} // namespace

Result<Lock> Lock::take(int dir, char const *path, Deadline deadline, int stop) noexcept {
  return take(Fd(sys::openat(dir, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)), deadline, stop);
}

Result<Lock> Lock::take_directory(int dir, char const *path, Deadline deadline, int stop) noexcept {
  return take(Fd(sys::openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)), deadline, stop);
}

Result<Lock> Lock::take(Fd file, Deadline deadline, int stop) noexcept {
  if (!file.valid()) return failed("open the lock");
  if (sys::flock(file.get(), LOCK_EX | LOCK_NB) < 0) {
    if (errno != EWOULDBLOCK) return failed(doing);
    if (deadline.remaining() == 0) return failed(doing, ETIMEDOUT);
    if (auto const waited = wait_in_child(file.get(), deadline, stop); !waited) return fail(waited);
  }
  return Lock(static_cast<Fd &&>(file));
}

Fd Lock::release() noexcept {
  // Said and not left to close: a child forked meanwhile may share the open file.
  if (file_.valid() && sys::flock(file_.get(), LOCK_UN) < 0) file_.reset();
  return static_cast<Fd &&>(file_);
}

Lock::~Lock() {
  (void)release();
}

} // namespace pm
