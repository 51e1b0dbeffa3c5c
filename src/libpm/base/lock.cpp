#include <pm/base/lock.h>

#include <fcntl.h>
#include <pm/base/keep_only.h>
#include <pm/base/stream.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace pm {

namespace {

constexpr char const *doing = "take the lock";

/** Has nothing of the parent's but the file and the pipe, and does not outlive it: what it held would seem to live on. */
[[noreturn]] void wait_as_child(int file, int pipe, pid_t parent) noexcept {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || ::getppid() != parent) ::_exit(1);
  int kept[] = {file, pipe};
  keep_only(kept);
  int locked;
  do locked = ::flock(file, LOCK_EX);
  while (locked < 0 && errno == EINTR);
  ::_exit(locked == 0 && ::write(pipe, "", 1) == 1 ? 0 : 1);
}

/**
 * flock has no deadline and a signal would be the program's business, so a child waits in our place: the lock belongs
 * to the open file that both share. Only a contended lock costs this. A byte says the child has it; its end of the
 * pipe closing without one says it could not.
 */
Done wait_in_child(int file, Deadline deadline, int stop) noexcept {
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) < 0) return failed(doing);
  Fd const reading(ends[0]);
  Fd writing(ends[1]);
  pid_t const parent = ::getpid(), child = sys::fork_unseen();
  if (child < 0) return failed(doing);
  if (child == 0) wait_as_child(file, ends[1], parent);
  writing.reset();

  char byte;
  auto const ready = wait_for(reading.get(), POLLIN, deadline, stop);
  int const code = !ready ? ready.error().code : sys::read(reading.get(), &byte, 1) == 1 ? 0 : ENOLCK;
  if (code) sys::kill(child, SIGKILL);
  while (sys::waitpid(child, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  if (code) return failed(doing, code);
  return {};
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

Lock::~Lock() {
  // Said and not left to close: a child forked meanwhile may share the open file.
  if (file_.valid()) sys::flock(file_.get(), LOCK_UN);
}

} // namespace pm
