#include "libpm/os/keep_only.h"

#include <fcntl.h>
#include <algorithm>
#include "libpm/os/directory.h"
#include "libpm/util/text.h"

namespace pm {

void keep_only(std::span<int const> kept) noexcept {
  // Close the gaps between the kept descriptors, in ascending order. There are few, so each round searches for the next.
  for (unsigned first = 0;;) {
    unsigned next = ~0U;
    for (int const fd : kept)
      if (fd >= 0 && static_cast<unsigned>(fd) >= first) next = std::min(next, static_cast<unsigned>(fd));
    if (next > first && sys::close_range(first, next - (next != ~0U), 0) < 0) break;
    if (next == ~0U) return;
    first = next + 1;
  }

  // Before Linux 5.9 there is no close_range: close each descriptor that /proc lists.
  auto const opened = open_directory(AT_FDCWD, "/proc/self/fd");
  if (!opened) return;
  Entries entries(opened->get());
  for (auto name = entries.next(); name && *name; name = entries.next()) {
    auto const fd = number<int>(*name);
    if (fd && *fd != opened->get() && std::find(kept.begin(), kept.end(), *fd) == kept.end()) sys::close(*fd);
  }
}

} // namespace pm
