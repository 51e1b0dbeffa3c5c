#include "libpm/fifodir/other_listeners.h"

#include <limits.h>
#include <sys/inotify.h>
#include "libpm/os/directory.h"
#include "libpm/util/text.h"

namespace pm::fifodir {

int OtherListeners::add(char const *path) noexcept {
  // inotify_add_watch(2) has no argument for the directory's descriptor.
  Text<PATH_MAX> name("/proc/self/fd/");
  name << dir_ << '/' << path;
  constexpr uint32_t any = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;
  return sys::inotify_add_watch(changes_.get(), name.c_str(), any | IN_ONLYDIR | IN_DONT_FOLLOW);
}

void OtherListeners::watch(int dir, char const *path, std::string_view own) noexcept {
  dir_ = dir;
  path_ = path;
  own_ = own;
  looked_ = false;
  changes_.reset(sys::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (changes_.valid() && add(path) < 0) changes_.reset();
}

bool OtherListeners::look() const noexcept {
  auto const fifodir = open_directory(dir_, path_);
  struct stat st;
  if (!fifodir || sys::fstat(fifodir->get(), &st) < 0 || (st.st_mode & (S_IWGRP | S_IWOTH))) return false;
  // Every name counts. One that is not a listener's disappears soon, or stays.
  Entries entries(fifodir->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return false;
    if (!*name) return true;
    if (*name != own_) return false;
  }
}

/** Takes the pending changes. False: they are unknown. */
bool OtherListeners::read_changes() noexcept {
  for (;;) {
    alignas(struct inotify_event) char events[4096];
    ssize_t const n = sys::read(changes_.get(), events, sizeof events);
    if (n < 0 && errno == EAGAIN) return true;
    if (n < 0 && errno == EINTR) continue;
    looked_ = false;
    if (n < 0) return false;
  }
}

bool OtherListeners::is_alone() noexcept {
  if (!changes_.valid() || !read_changes()) return false;
  if (!looked_) alone_ = look();
  looked_ = true;
  return alone_;
}

} // namespace pm::fifodir
