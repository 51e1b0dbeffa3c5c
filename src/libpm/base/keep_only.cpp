#include <pm/base/keep_only.h>

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/base/text.h>
#include <algorithm>

namespace pm {

void keep_only(std::span<int const> kept) noexcept {
  // They are a handful: from one gap to the next, the least of them that is left.
  for (unsigned first = 0;;) {
    unsigned next = ~0U;
    for (int const fd : kept)
      if (fd >= 0 && static_cast<unsigned>(fd) >= first) next = std::min(next, static_cast<unsigned>(fd));
    if (next > first && sys::close_range(first, next - (next != ~0U), 0) < 0) break;
    if (next == ~0U) return;
    first = next + 1;
  }

  // Before Linux 5.9 there is no close_range: what /proc lists is closed one by one.
  auto const opened = open_directory(AT_FDCWD, "/proc/self/fd");
  if (!opened) return;
  Entries entries(opened->get());
  for (auto name = entries.next(); name && *name; name = entries.next()) {
    auto const fd = number<int>(*name);
    if (fd && *fd != opened->get() && std::find(kept.begin(), kept.end(), *fd) == kept.end()) sys::close(*fd);
  }
}

} // namespace pm
