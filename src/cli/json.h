/** Text in JSON: RFC 8259, pm-output(7). */
#pragma once

#include <pm/types.h>
#include <string_view>

namespace pm {

/**
 * Appends `text` as a string, or as an array of the values of its bytes if it is not UTF-8, so that no byte is lost. Characters
 * that are not plain, is_plain(), are escaped, so that a terminal can show the line. False: out of memory.
 */
[[nodiscard]] bool append_json(List<char> &out, std::string_view text) noexcept;

} // namespace pm
