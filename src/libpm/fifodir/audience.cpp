#include <pm/fifodir/audience.h>

#include <limits.h>
#include <pm/base/directory.h>
#include <pm/base/text.h>
#include <sys/inotify.h>

namespace pm::fifodir {

int Audience::add(char const *path) noexcept {
  // By way of the descriptor, which inotify_add_watch has no argument for.
  Text<PATH_MAX> name("/proc/self/fd/");
  name << dir_ << '/' << path;
  constexpr uint32_t any = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;
  return sys::inotify_add_watch(changes_.get(), name.c_str(), any | IN_ONLYDIR | IN_DONT_FOLLOW);
}

void Audience::watch(int dir, char const *path, std::string_view own) noexcept {
  dir_ = dir;
  path_ = path;
  own_ = own;
  looked_ = false;
  changes_.reset(sys::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (changes_.valid() && add(path) < 0) changes_.reset();
}

void Audience::watch_names(char const *path, bool (*matters)(std::string_view)) noexcept {
  names_path_ = path;
  matters_ = matters;
  if (changes_.valid()) names_watch_ = add(path);
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

bool Audience::look_for_names() const noexcept {
  if (names_watch_ < 0) return false;
  auto const read = each_entry(dir_, names_path_, [this](int, char const *name, unsigned char) noexcept {
    return matters_(name) ? Done(failed("", EEXIST)) : Done();
  });
  return read.has_value();
}

/** Takes what has changed. False: it cannot be known. */
bool Audience::hear() noexcept {
  for (;;) {
    alignas(struct inotify_event) char events[4096];
    ssize_t const n = sys::read(changes_.get(), events, sizeof events);
    if (n < 0 && errno == EAGAIN) return true;
    if (n < 0 && errno != EINTR) {
      looked_ = looked_for_names_ = false;
      return false;
    }
    for (ssize_t at = 0; at < n;) {
      auto const &event = reinterpret_cast<struct inotify_event const &>(events[at]);
      at += static_cast<ssize_t>(sizeof event + event.len);
      // Too many to be told of, or of the directory itself: anything may have changed.
      if (event.wd != names_watch_ || !event.len) looked_ = looked_for_names_ = false;
      else if (matters_(event.name)) looked_for_names_ = false;
    }
  }
}

bool Audience::is_alone() noexcept {
  if (!changes_.valid() || !hear()) return false;
  if (!looked_) alone_ = look();
  if (!looked_for_names_) nameless_ = look_for_names();
  looked_ = looked_for_names_ = true;
  return alone_;
}

} // namespace pm::fifodir
