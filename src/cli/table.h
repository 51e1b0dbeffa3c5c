/** Tables that programs print: for programs, for users at a terminal, or as JSON: pm-output(7). */
#pragma once

#include <optional>
#include "cli/terminal.h"
#include "cli/terminal_text.h"

namespace pm {

/** What a column contains. Format::tabs shows each value as it is, escaped; so do columns, if nothing else is said here. */
enum class Kind : uint8_t {
  text,           /**< JSON: text */
  words,          /**< words with commas between them. JSON: an array of them */
  number,         /**< JSON: a number, as of all that follow */
  number_or_none, /**< Columns: blank if it is 0; JSON: null */
  user,           /**< a uid. Columns: the user's name */
  moment,         /**< a time of CLOCK_BOOTTIME in ns. Columns: the time since then */
  ticks,          /**< the same in clock ticks; blank or null if it is 0 */
  span,           /**< a time span in ms. Columns: that time */
};

struct Column {
  std::string_view name;
  Kind kind;
};

/** A table, printed as its rows come. It ends the program if there is no memory. */
class Table {
 public:
  struct Style {
    Format format;
    std::string_view absent = {}; /**< what tabs and columns show where a value is empty; JSON has null */
    char end = '\n';              /**< the end of a line of Format::tabs */
  };
  /** Borrows the columns. */
  Table(Style const &style, std::span<Column const> columns) noexcept;

  /** Adds a line with the names of the columns to Format::tabs. Columns always begin with such a line, and JSON has none. */
  void add_names() noexcept;
  /** Adds a value to the row. */
  void add(std::string_view value) noexcept;
  /** Ends the row, which may have fewer values than there are columns. */
  void end_row() noexcept;

  /** The lines of the rows since the last call. A column is never narrower than in the calls before, unless the terminal is. */
  [[nodiscard]] List<char> take() noexcept;

 private:
  /** A value in Format::columns. */
  struct Cell {
    size_t at, size, width;
  };

  void put(std::string_view text) noexcept;
  void add_json(std::string_view value) noexcept;
  void add_cell(std::string_view value) noexcept;
  /** A value as Format::columns shows it. It views `value`, `text` or a user's name. */
  [[nodiscard]] std::string_view shown(std::string_view value, Text<32> &text) noexcept;
  void lay_out() noexcept;

  Style style_;
  std::span<Column const> columns_;
  size_t at_ = 0; /**< the column of the next value */
  List<char> lines_;
  std::optional<TerminalText> terminal_; /**< of Format::columns, as all that follows */
  UserNames users_;
  List<char> texts_;
  List<Cell> cells_;
  List<size_t> widths_;
};

} // namespace pm
