/** The names in a store of the descriptors of sd_notify(3). */
#pragma once

#include <stdint.h>
#include <optional>
#include "libpm/notify/notify_message.h"
#include "libpm/util/text.h"

namespace pm::notify {

/** The longest name of a service in a store, and the name without the option that sets it. */
inline constexpr size_t service_max = 64;
inline constexpr std::string_view default_service = "sdnotify";
/** Whether it is 1 to 64 of A-Z a-z 0-9 . _ - @, not starting with a dot or a dash. */
[[nodiscard]] bool is_service_in_store(std::string_view name) noexcept;

/** A descriptor of a service: several may have one name. */
struct NumberedName {
  uint32_t number = 0;
  Text<256> name; /**< FDNAME */
};

using NameInStore = Text<128>;
/**
 * SERVICE+NUMBER+NAME. Of NAME, each byte that is not one of A-Z a-z 0-9 . _ - @ is written as + and two hexadecimal digits.
 * Nothing: it has more than 127 bytes.
 */
[[nodiscard]] std::optional<NameInStore> name_in_store(std::string_view service, uint32_t number, std::string_view name) noexcept;
/** Reads such a name. Nothing: it is not one of this service. */
[[nodiscard]] std::optional<NumberedName> read_name_in_store(std::string_view service, std::string_view text) noexcept;

} // namespace pm::notify
