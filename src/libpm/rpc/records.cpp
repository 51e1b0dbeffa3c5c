#include "libpm/rpc/records.h"

#include <algorithm>

namespace pm::rpc {

namespace {
void write_mark(char *bytes, uint32_t size, bool last) noexcept {
  uint32_t const mark = size | (last ? last_fragment : 0);
  for (unsigned i = 0; i < mark_size; ++i) bytes[i] = static_cast<char>(mark >> (24 - 8 * i));
}
} // namespace

bool append_mark(List<char> &out, uint32_t size, bool last) noexcept {
  char bytes[mark_size];
  write_mark(bytes, size, last);
  return append(out, {bytes, mark_size});
}

void end_fragment(List<char> &out, size_t mark, bool last) noexcept {
  write_mark(out.begin() + mark, static_cast<uint32_t>(out.size() - mark - mark_size), last);
}

bool Records::take_mark(std::string_view &bytes) noexcept {
  while (in_mark_ < mark_size) {
    if (bytes.empty()) return false;
    mark_[in_mark_++] = bytes.front();
    bytes.remove_prefix(1);
  }
  uint32_t mark = 0;
  for (char const c : mark_) mark = mark << 8 | static_cast<unsigned char>(c);
  last_ = mark & last_fragment;
  left_ = mark & ~last_fragment;
  in_mark_ = 0;
  return marked_ = true;
}

Records::Taken Records::next(std::string_view &bytes, std::string_view &record) noexcept {
  if (taken_) {
    record_.clear();
    taken_ = false;
  }
  for (;;) {
    if (!marked_) {
      if (!take_mark(bytes)) return Taken::need_more;
      if (left_ > most_ - record_.size() || fragments_ >= most_fragments_) return Taken::too_long;
    }
    size_t const n = std::min<size_t>(left_, bytes.size());
    std::string_view const came(bytes.data(), n);
    bytes.remove_prefix(n);
    left_ -= static_cast<uint32_t>(n);
    bool const whole = left_ == 0 && last_;
    // Do not copy the usual record, which arrives as one fragment and in one piece.
    if (whole && record_.empty()) record = came;
    else if (!append(record_, came)) return Taken::no_memory;
    if (left_) return Taken::need_more;
    marked_ = false;
    if (!last_) {
      ++fragments_;
      continue;
    }
    fragments_ = 0;
    if (!record_.empty()) record = {record_.begin(), record_.size()};
    taken_ = true;
    return Taken::record;
  }
}

} // namespace pm::rpc
