#include "cli/table.h"

#include <unistd.h>
#include <algorithm>
#include "cli/json.h"
#include "libpm/os/time.h"
#include "libpm/util/escape.h"

namespace pm {

namespace {

constexpr size_t gap = 2;
/** The width below which no column is made narrower: that of the longest name of a column, and one more. */
constexpr size_t narrow = 8;
constexpr char cut_mark = '>';

/** Makes the widest columns narrower until a line fits into `room`. */
void fit(std::span<size_t> widths, size_t room) noexcept {
  size_t total = gap * (widths.size() - 1);
  for (size_t const width : widths) total += width;
  for (; total > room; --total) {
    size_t &widest = *std::max_element(widths.begin(), widths.end());
    if (widest <= narrow) return;
    --widest;
  }
}

} // namespace

Table::Table(Style const &style, std::span<Column const> columns) noexcept : style_(style), columns_(columns) {
  if (style_.format != Format::columns) return;
  terminal_.emplace();
  if (!widths_.resize(columns_.size())) die_no_memory();
  std::fill(widths_.begin(), widths_.end(), 0);
  for (auto const &column : columns_) add_cell(column.name);
  end_row();
}

void Table::put(std::string_view text) noexcept {
  if (!append(lines_, text)) die_no_memory();
}

void Table::add_names() noexcept {
  if (style_.format != Format::tabs) return;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (i) put("\t");
    put(columns_[i].name);
  }
  put({&style_.end, 1});
}

void Table::add(std::string_view value) noexcept {
  switch (style_.format) {
    case Format::tabs:
      if (at_) put("\t");
      if (!append_escaped(lines_, value.empty() ? style_.absent : value)) die_no_memory();
      break;
    case Format::json: add_json(value); break;
    case Format::columns: {
      Text<32> text;
      add_cell(shown(value, text));
      return;
    }
  }
  ++at_;
}

void Table::end_row() noexcept {
  switch (style_.format) {
    case Format::tabs: put({&style_.end, 1}); break;
    case Format::json: put("}\n"); break;
    case Format::columns:
      while (at_ < columns_.size()) add_cell("");
  }
  at_ = 0;
}

void Table::add_json(std::string_view value) noexcept {
  auto const &[name, kind] = columns_[at_];
  put(at_ ? "" : "{");
  // A name must be unique in an object.
  for (size_t i = 0; i < at_; ++i)
    if (columns_[i].name == name) return;
  put(at_ ? ",\"" : "\"");
  put(name);
  put("\":");
  if (kind == Kind::text) {
    if (value.empty()) put("null");
    else if (!append_json(lines_, value)) die_no_memory();
  } else if (kind == Kind::words) {
    put("[");
    for (Cut rest = {{}, value, !value.empty()}; rest.found;) {
      rest = cut(rest.tail, ',');
      if (!append_json(lines_, rest.head)) die_no_memory();
      put(rest.found ? "," : "");
    }
    put("]");
  } else {
    auto const n = number<uint64_t>(value);
    bool const is_none = !n || (*n == 0 && (kind == Kind::number_or_none || kind == Kind::ticks));
    if (is_none) put("null");
    else put((Text<32>() << *n).view());
  }
}

std::string_view Table::shown(std::string_view value, Text<32> &text) noexcept {
  Kind const kind = columns_[at_].kind;
  auto const n = number<uint64_t>(value);
  if (!n || kind == Kind::text || kind == Kind::words || kind == Kind::number) return value;
  if (*n == 0 && (kind == Kind::number_or_none || kind == Kind::ticks)) return {};
  uint64_t const now = boottime();
  switch (kind) {
    case Kind::user: return users_[static_cast<uid_t>(*n)];
    case Kind::moment: text = short_time((now - std::min(now, *n)) / 1'000'000'000); break;
    case Kind::ticks: {
      uint64_t const seconds = now / 1'000'000'000, start = *n / static_cast<uint64_t>(::sysconf(_SC_CLK_TCK));
      text = short_time(seconds - std::min(seconds, start));
      break;
    }
    case Kind::span: text = short_time(*n / 1000); break;
    default: return value;
  }
  return text.view();
}

void Table::add_cell(std::string_view value) noexcept {
  size_t const start = texts_.size();
  if (!terminal_->append(texts_, value.empty() ? style_.absent : value)) die_no_memory();
  std::string_view const text(texts_.begin() + start, texts_.size() - start);
  size_t const width = terminal_->width(text);
  if (!cells_.append({start, text.size(), width})) die_no_memory();
  widths_[at_] = std::max(widths_[at_], width);
  ++at_;
}

void Table::lay_out() noexcept {
  size_t const room = terminal_size().columns;
  List<size_t> widths;
  if (!widths.append(std::span<size_t const>(widths_.begin(), widths_.size()))) die_no_memory();
  fit({widths.begin(), widths.size()}, room);
  size_t column = 0, x = 0, blanks = 0;
  for (auto const &[at, size, width] : cells_) {
    if (column) blanks += gap;
    // The rest of the line may have no room for the column.
    size_t const begin = x + blanks, most = begin < room ? std::min(widths[column], room - begin) : 0;
    std::string_view text(texts_.begin() + at, size);
    if (most && width) {
      for (; blanks; --blanks) put(" ");
      if (width > most) text = terminal_->cut(text, most - 1);
      put(text);
      if (width > most) put({&cut_mark, 1});
      x = begin + (width > most ? terminal_->width(text) + 1 : width);
    }
    blanks = begin + widths[column] - x;
    if (++column < columns_.size()) continue;
    put("\n");
    column = x = blanks = 0;
  }
  texts_.clear();
  cells_.clear();
}

List<char> Table::take() noexcept {
  if (style_.format == Format::columns) lay_out();
  return std::move(lines_);
}

} // namespace pm
