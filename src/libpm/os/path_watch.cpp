#include "libpm/os/path_watch.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <algorithm>

namespace pm {

namespace {
constexpr char const *doing = "wait for a file";
}

PathWatch::PathWatch(int dir, char const *path) noexcept : moves_(dir == AT_FDCWD) {
  // inotify_add_watch(2) has no argument for a directory's descriptor.
  if (dir != AT_FDCWD) path_ << "/proc/self/fd/" << dir << '/';
  else if (*path != '/') path_ << "./";
  path_ << path;
}

/** Watches the directory whose path is the first `end` bytes. Returns the number of the watch, or -1 and errno. */
int PathWatch::watch(size_t end) const noexcept {
  Text<PATH_MAX + 32> const directory(std::string_view(path_.c_str(), std::max<size_t>(end, 1)));
  constexpr uint32_t changes = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
  return sys::inotify_add_watch(events_.get(), directory.c_str(), changes | IN_ONLYDIR);
}

bool PathWatch::is_directory(size_t end) const noexcept {
  Text<PATH_MAX + 32> const directory(std::string_view(path_.c_str(), end));
  struct stat st;
  return sys::fstatat(AT_FDCWD, directory.c_str(), &st, 0) == 0 && S_ISDIR(st.st_mode);
}

/** Watches the deepest directory of the path that exists. */
Done PathWatch::descend() noexcept {
  auto const path = path_.view();
  for (;;) {
    size_t end = path.size(), next;
    int found;
    do {
      next = end;
      end = path.rfind('/', next - 1);
      found = watch(end);
    } while (found < 0 && (errno == ENOENT || errno == ENOTDIR) && end > 0 && end != std::string_view::npos);
    if (found < 0) return failed(doing);
    if (watch_ >= 0 && watch_ != found) sys::inotify_rm_watch(events_.get(), watch_);
    watch_ = found;
    name_ = {path.data() + end + 1, next - end - 1};
    // The next directory may have been made before the watch began.
    if (next == path.size() || !is_directory(next)) return {};
  }
}

Done PathWatch::open() noexcept {
  if (path_.overflowed()) return failed(doing, ENAMETOOLONG);
  watch_ = -1;
  events_.reset(sys::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!events_.valid()) return failed(doing);
  // The file is readable where /proc is mounted. Without it, only mounts are not noticed.
  if (moves_ && !mounts_.valid()) mounts_.reset(sys::openat(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  auto const done = descend();
  if (!done) events_.reset();
  return done;
}

/** Reads all pending events. Returns whether one of them concerns the path. */
bool PathWatch::take_changes() noexcept {
  bool concerned = false;
  for (;;) {
    alignas(struct inotify_event) char events[4096];
    ssize_t const n = sys::read(events_.get(), events, sizeof events);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return concerned || errno != EAGAIN;
    for (ssize_t at = 0; at < n;) {
      struct inotify_event event;
      memcpy(&event, events + at, sizeof event);
      char const *const name = events + at + sizeof event;
      at += static_cast<ssize_t>(sizeof event + event.len);
      if (event.mask & IN_Q_OVERFLOW) concerned = true;
      if (event.wd != watch_) continue;
      // An event of the directory itself has no name.
      if (event.len == 0 || name_ == name) concerned = true;
    }
  }
}

Done PathWatch::wait(Limit limit) noexcept {
  for (;;) {
    struct pollfd fds[] = {{events_.get(), POLLIN, 0}, {limit.stop, POLLIN, 0}, {mounts_.get(), POLLPRI, 0}};
    int const n = sys::poll(fds, std::size(fds), limit.deadline.remaining());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(doing);
    if (fds[1].revents) return failed(doing, ECANCELED);
    bool const concerned = fds[0].revents && take_changes();
    if (concerned || fds[2].revents) {
      if (!descend()) events_.reset();
      return {};
    }
    if (n == 0 && limit.deadline.remaining() == 0) return failed(doing, ETIMEDOUT);
  }
}

} // namespace pm
