/** The line that a listener of a registry reads for each change: `TIME[!] KIND SERVICE UID NAME` and a newline. */
#pragma once

#include "libpm/registry/layout.h"
#include "libpm/util/callback.h"

namespace pm::registry {

/** A change of one registration. A reader's EventLine views the bytes that it was read from. */
struct EventLine {
  static constexpr char nothing = '-';
  uint64_t time = 0;      /**< CLOCK_BOOTTIME in ns, even, later for each change of a registry */
  bool after_gap = false; /**< `!`: the change before this one may have no line, because its writer was killed */
  char kind = 0;          /**< u: it is up; d: it is down; c: it was rewritten; nothing: no change was made */
  std::string_view service, owner;
  std::string_view name; /**< of its FIFO, as entry_name() makes it */
};

/** The longest line, in bytes. */
inline constexpr size_t event_line_max = 448;

[[nodiscard]] Text<event_line_max + 1> format(EventLine const &line) noexcept;
/** Reads a line without its newline. False: it is something else. */
[[nodiscard]] bool read_event_line(std::string_view text, EventLine &line) noexcept;

} // namespace pm::registry
