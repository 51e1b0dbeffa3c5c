#include "libpm/util/line_splitter.h"

namespace pm {

bool LineSplitter::add(std::string_view bytes) noexcept {
  bytes_.erase_front(std::exchange(begin_, 0));
  searched_ = std::min(searched_, bytes_.size());
  return append(bytes_, bytes);
}

LineSplitter::Found LineSplitter::next(std::string_view &line) noexcept {
  for (;;) {
    std::string_view const rest(bytes_.begin() + begin_, bytes_.size() - begin_);
    size_t const searched = std::max(searched_, begin_) - begin_;
    size_t const length = rest.find('\n', searched);
    if (length == rest.npos) {
      searched_ = bytes_.size();
      bool const is_new = rest.size() > most_ && !is_skipping_;
      if (rest.size() <= most_ && !is_skipping_) return Found::nothing;
      // Nothing of a line that is too long is kept.
      bytes_.truncate(begin_);
      searched_ = begin_;
      is_skipping_ = true;
      return is_new ? Found::too_long : Found::nothing;
    }
    begin_ += length + 1;
    if (std::exchange(is_skipping_, false)) continue;
    if (length > most_) return Found::too_long;
    line = rest.substr(0, length);
    return Found::line;
  }
}

void LineSplitter::clear() noexcept {
  bytes_.clear();
  begin_ = searched_ = 0;
  is_skipping_ = false;
}

} // namespace pm
