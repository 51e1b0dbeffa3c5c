/** Text in the columns of a terminal, and values as people read them. */
#pragma once

#include <pm/types.h>
#include <sys/types.h>
#include "libpm/util/text.h"

namespace pm {

/** How many columns text has, as the locale of LC_ALL, LC_CTYPE or LANG says. */
class TerminalText {
 public:
  /** Sets the process's LC_CTYPE. */
  TerminalText() noexcept;

  /**
   * Appends text, escaped: escape(). Escaped are also the characters that the locale does not know; all but ASCII if its encoding
   * is not UTF-8. False: out of memory.
   */
  [[nodiscard]] bool append(List<char> &out, std::string_view text) const noexcept;
  /** The width of such text. */
  [[nodiscard]] size_t width(std::string_view text) const noexcept;
  /** The beginning of such text that has at most `width` columns, and no part of an escape. */
  [[nodiscard]] std::string_view cut(std::string_view text, size_t width) const noexcept;

 private:
  struct Unit {
    size_t size, width;
  };
  /** The first character or escape. */
  [[nodiscard]] Unit first(std::string_view text) const noexcept;
  [[nodiscard]] int width_of(uint32_t character) const noexcept;

  bool is_utf8_;
};

/** A time span by its two largest units: 3d4h, 4h, 5m3s, 0s. */
[[nodiscard]] Text<32> short_time(uint64_t seconds) noexcept;

/** The names of users, each looked up once. */
class UserNames {
 public:
  /** The user's name, or its number if it has none. Valid until the next call. */
  [[nodiscard]] std::string_view operator[](uid_t user) noexcept;

 private:
  struct Known {
    uid_t user;
    Text<256> name; /**< LOGIN_NAME_MAX is 256, with the NUL */
  };
  List<Known> known_;
};

} // namespace pm
