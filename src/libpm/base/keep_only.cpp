#include <pm/base/keep_only.h>

#include <fcntl.h>
#include <pm/base/directory.h>
#include <pm/base/sort.h>
#include <pm/base/text.h>
#include <algorithm>

namespace pm {

void keep_only(std::span<int> kept) noexcept {
  sort(kept, [](int a, int b) noexcept { return a < b; });
  unsigned first = 0;
  bool ranges = true;
  for (int const fd : kept) {
    if (fd < 0) continue;
    unsigned const next = static_cast<unsigned>(fd);
    if (next > first) ranges = ranges && sys::close_range(first, next - 1, 0) == 0;
    first = next + 1;
  }
  if (ranges && sys::close_range(first, ~0U, 0) == 0) return;

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
