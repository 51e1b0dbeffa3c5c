/** What standard output is, which decides how programs print tables: pm-output(7). */
#pragma once

#include "cli/command_line.h"

namespace pm {

/** How a table is printed. */
enum class Format : uint8_t {
  tabs,    /**< for programs: a line for each row, tabs between its values */
  columns, /**< for users: aligned, as wide as the terminal */
  json,    /**< an object on each line */
};

/** The option -j. It sets a bool. */
template <auto... Path>
consteval auto json_option() noexcept {
  return flag<Path...>('j', "print JSON: an object on each line");
}

/** json if `wants_json`; otherwise columns if standard output is a terminal, or tabs. */
[[nodiscard]] Format output_format(bool wants_json) noexcept;

/** In characters. */
struct TerminalSize {
  size_t columns, lines;
};
/** The size of the terminal that standard output is. COLUMNS replaces its width; an unknown size is 80 columns and 24 lines. */
[[nodiscard]] TerminalSize terminal_size() noexcept;

} // namespace pm
