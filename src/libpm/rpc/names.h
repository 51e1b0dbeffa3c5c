/** Finding an ONC program by its name: rpc(5). */
#pragma once

#include <string_view>

namespace pm::rpc {

/** The number, as written, of the program with this name or alias in `text`, which has the lines of rpc(5); empty: none. */
[[nodiscard]] std::string_view program_named(std::string_view text, std::string_view name) noexcept;

} // namespace pm::rpc
