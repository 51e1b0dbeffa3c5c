/** The messages of a daemon. */
#pragma once

#include <stdint.h>
#include <span>
#include <string_view>
#include "libpm/util/result.h"

namespace pm {

/** A daemon in the library writes its messages to a Log. The program decides how they look and where they go. */
class Log {
 public:
  enum class Level : uint8_t { info, warning };

  /** Writes one message, the concatenation of `words`. */
  virtual void write(Level level, std::span<std::string_view const> words) noexcept = 0;

  template <class... Words>
  void warn(Words const &...words) noexcept {
    std::string_view const all[] = {std::string_view(words)...};
    write(Level::warning, all);
  }
  template <class... Words>
  void inform(Words const &...words) noexcept {
    std::string_view const all[] = {std::string_view(words)...};
    write(Level::info, all);
  }
  /** `unable to DOING OBJECT: REASON`. */
  void warn_of(SysError error, std::string_view object) noexcept;
};

} // namespace pm
