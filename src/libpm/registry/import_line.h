/** The lines of pm-mirror's input, pm-mirror(8): registrations of other hosts. */
#pragma once

#include "libpm/net/address.h"
#include "libpm/util/result.h"

namespace pm::registry {

/** The longest line, in bytes, without its newline. */
inline constexpr size_t import_line_max = 4096;

/** A line. It views the text that it was read from. */
struct ImportLine {
  enum class Word : uint8_t {
    still, /**< an empty line: all is as before */
    begin, /**< what is registered follows, all of it, until `end` */
    end,
    up,
    down
  };

  Word word = Word::still;
  std::string_view key;           /**< of up and down; not empty */
  std::string_view host, service; /**< this and the rest: of up */
  uint32_t version = 0;
  Address address;
};

struct BadImportLine {
  char const *reason;
  std::string_view key; /**< of an `up` with a key; otherwise empty */
};

/**
 * Reads a line without its newline. An address that only its own host reaches is wrong: local, loopback, and a wildcard, which a lookup
 * takes for loopback.
 */
[[nodiscard]] tl::expected<ImportLine, BadImportLine> read_import_line(std::string_view line) noexcept;

} // namespace pm::registry
