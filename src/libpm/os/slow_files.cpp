#include "libpm/os/slow_files.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/os/file_identity.h"
#include "libpm/os/in_child.h"
#include "libpm/os/sys.h"
#include "libpm/util/text.h"

namespace pm {

namespace {
bool closes_at_once(int fd) noexcept {
  auto const file = identify_file(fd);
  if (!file) return false;
  switch (file->type) {
    case 0:
    case S_IFSOCK: // see Interrupter
    case S_IFIFO: return true;
    case S_IFREG:
    case S_IFDIR:
      // A file system on a disk has a device with a number of its own. Of the others, only memory has seals.
      return file->major != 0 || sys::fcntl(fd, F_GET_SEALS) >= 0;
    default: return false;
  }
}
} // namespace

SlowFiles *SlowFiles::the_one_ = nullptr;

SlowFiles::SlowFiles(Log &log) noexcept : log_(&log), user_(::geteuid()) {
  the_one_ = this;
  sys::close_elsewhere = close;
}

SlowFiles::~SlowFiles() {
  the_one_ = nullptr;
  sys::close_elsewhere = nullptr;
}

size_t SlowFiles::place_of(int fd) const noexcept {
  auto const *const found = std::find_if(noted_.begin(), noted_.end(), [fd](Noted const &one) noexcept { return one.fd == fd; });
  return static_cast<size_t>(found - noted_.begin());
}

Done SlowFiles::note(int fd, uid_t user) noexcept {
  if (closes_at_once(fd) || noted_.append({fd, user, false})) return {};
  return failed("keep a descriptor", ENOMEM);
}

bool SlowFiles::has_of(uid_t user) const noexcept {
  return std::any_of(noted_.begin(), noted_.end(),
                     [=](Noted const &one) noexcept { return one.user == user && !one.is_closing; });
}

bool SlowFiles::is_slow(int fd) noexcept {
  return the_one_ && the_one_->place_of(fd) < the_one_->noted_.size();
}

/** For sys::close(). False: the descriptor was not noted. */
bool SlowFiles::close(int fd) noexcept {
  if (!is_slow(fd)) return false;
  the_one_->noted_[the_one_->place_of(fd)].is_closing = true;
  the_one_->reap();
  the_one_->start_all();
  return true;
}

/** Starts the children of all files that are closing. */
void SlowFiles::start_all() noexcept {
  for (size_t i = noted_.size(); i-- > 0;) {
    if (!noted_[i].is_closing || !start(noted_[i])) continue;
    noted_[i] = noted_[noted_.size() - 1];
    noted_.truncate(noted_.size() - 1);
  }
}

/** Starts a child that closes a file. False: the file stays open. */
bool SlowFiles::start(Noted const &file) noexcept {
  if (!children_.append({-1, file.user})) return false;
  pid_t const child = start_child(CLONE_FILES, [&]() noexcept {
    sys::close_elsewhere = nullptr;
    sys::close(file.fd);
  });
  children_[children_.size() - 1].pid = child;
  // close(2) removes the descriptor before it waits. Return after that: executing a program would close the descriptor, and wait.
  // The kernel reports no event of it, but the child needs only this one system call.
  bool is_running = child > 0;
  while (is_running && sys::fcntl(file.fd, F_GETFD) >= 0) {
    ::sched_yield();
    is_running = sys::waitpid(child, nullptr, __WALL | WNOHANG) == 0;
  }
  if (!is_running) children_.truncate(children_.size() - 1);
  return is_running || (child > 0 && sys::fcntl(file.fd, F_GETFD) < 0);
}

void SlowFiles::reap() noexcept {
  // Also those of the previous version of this program.
  for (pid_t ended; (ended = sys::waitpid(-1, nullptr, static_cast<int>(__WCLONE) | WNOHANG)) > 0;) {
    auto *const one =
        std::find_if(children_.begin(), children_.end(), [=](Child const &each) noexcept { return each.pid == ended; });
    if (one == children_.end()) continue;
    *one = children_[children_.size() - 1];
    children_.truncate(children_.size() - 1);
  }
}

bool SlowFiles::may_give_more(uid_t user) noexcept {
  start_all();
  if (children_.empty()) return true;
  reap();
  auto const waiting =
      std::count_if(children_.begin(), children_.end(), [=](Child const &one) noexcept { return one.user == user; });
  if (static_cast<size_t>(waiting) < waiting_most) return true;
  log_->warn("refused uid ", (Text<16>() << user).view(), ": closing its files waits for their server");
  return false;
}

} // namespace pm
