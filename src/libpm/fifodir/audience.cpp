#include <pm/fifodir/audience.h>

#include <limits.h>
#include <pm/base/directory.h>
#include <pm/base/text.h>
#include <sys/inotify.h>

namespace pm::fifodir {

void Audience::watch(int dir, char const *path, std::string_view own) noexcept {
  dir_ = dir;
  path_ = path;
  own_ = own;
  looked_ = false;
  changes_.reset(sys::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  // By way of the descriptor, which inotify_add_watch has no argument for.
  Text<PATH_MAX> name("/proc/self/fd/");
  name << dir << '/' << path;
  constexpr uint32_t any = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;
  if (changes_.valid() && sys::inotify_add_watch(changes_.get(), name.c_str(), any | IN_ONLYDIR | IN_DONT_FOLLOW) < 0)
    changes_.reset();
}

bool Audience::look() const noexcept {
  auto const fifodir = open_directory(dir_, path_);
  struct stat st;
  if (!fifodir || sys::fstat(fifodir->get(), &st) < 0 || (st.st_mode & (S_IWGRP | S_IWOTH))) return false;
  // Whatever there is counts: what is no listener is soon gone, or never.
  Entries entries(fifodir->get());
  for (;;) {
    auto const name = entries.next();
    if (!name) return false;
    if (!*name) return true;
    if (*name != own_) return false;
  }
}

bool Audience::is_alone() noexcept {
  if (!changes_.valid()) return false;
  for (;;) {
    alignas(struct inotify_event) char events[4096];
    ssize_t const n = sys::read(changes_.get(), events, sizeof events);
    if (n < 0 && errno == EAGAIN) break;
    looked_ = false;
    if (n < 0 && errno != EINTR) return false;
  }
  if (!looked_) {
    alone_ = look();
    looked_ = true;
  }
  return alone_;
}

} // namespace pm::fifodir
