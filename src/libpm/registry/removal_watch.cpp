#include "libpm/registry/removal_watch.h"

#include <string.h>
#include <sys/inotify.h>
#include "libpm/registry/layout.h"

namespace pm::registry {

RemovalWatch::RemovalWatch(Tree const &tree) noexcept : events_(sys::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  Text<32> const directory = Text<32>("/proc/self/fd/") << tree.dir();
  constexpr uint32_t removals = IN_DELETE | IN_MOVED_FROM | IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR;
  if (events_.valid() && sys::inotify_add_watch(events_.get(), directory.c_str(), removals) < 0) events_.reset();
}

bool RemovalWatch::is_removed() noexcept {
  for (;;) {
    alignas(struct inotify_event) char events[1024];
    ssize_t const n = sys::read(events_.get(), events, sizeof events);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    for (ssize_t at = 0; at < n;) {
      struct inotify_event event;
      memcpy(&event, events + at, sizeof event);
      char const *const name = events + at + sizeof event;
      at += static_cast<ssize_t>(sizeof event + event.len);
      // The service's socket comes and goes. A file system that is unmounted ends the watch.
      if (event.len == 0 || strcmp(name, layout::services) == 0 || strcmp(name, layout::event) == 0) return true;
    }
  }
}

} // namespace pm::registry
