#include "libpm/registry/event_reader.h"

#include <fcntl.h>

namespace pm::registry {

uint64_t EventReader::time_of_last_change() const noexcept {
  struct stat st;
  if (sys::fstatat(tree_->dir(), layout::lock, &st, AT_SYMLINK_NOFOLLOW) < 0) return 0;
  return static_cast<uint64_t>(st.st_mtim.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(st.st_mtim.tv_nsec);
}

Result<bool> EventReader::read(bool hung_up, Visit visit) noexcept {
  constexpr size_t page = 4096;
  char bytes[page];
  ssize_t n;
  do n = sys::read(fifo_, bytes, sizeof bytes);
  while (n < 0 && errno == EINTR);
  if (n < 0 && errno != EAGAIN) return failed("read events");
  if (n < 0) return true; // a writer has the FIFO open: a hang-up will follow
  if (n == 0) return time_of_last_change() == last_;
  // A line has the whole of its place in the page, or it was not written. A read empties the page.
  bool whole = static_cast<size_t>(n) + event_line_max <= page;
  for (std::string_view rest(bytes, static_cast<size_t>(n)); !rest.empty();) {
    auto const [text, after, ended] = cut(rest, '\n');
    rest = after;
    EventLine line;
    if (!ended || !read_event_line(text, line)) {
      whole = false;
      continue;
    }
    last_ = line.time;
    whole = whole && !line.after_gap;
    if (auto const visited = visit(line); !visited) return fail(visited);
  }
  return whole && (!hung_up || time_of_last_change() == last_);
}

} // namespace pm::registry
