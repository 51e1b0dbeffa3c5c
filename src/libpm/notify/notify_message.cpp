#include "libpm/notify/notify_message.h"

#include <limits.h>
#include "libpm/net/listen_fds.h"
#include "libpm/util/text.h"

namespace pm::notify {

namespace {

/** Reads a number of at most `most` into an empty `to`. False: it is not one. */
template <class Number>
bool read_number(std::string_view text, uint64_t least, uint64_t most, std::optional<Number> &to) noexcept {
  auto const n = number<uint64_t>(text);
  if (!n || *n < least || *n > most) return false;
  if (!to) to = static_cast<Number>(*n);
  return true;
}

bool read_text(std::string_view text, bool is_valid, std::optional<std::string_view> &to) noexcept {
  if (is_valid && !to) to = text;
  return is_valid;
}

bool read_access(std::string_view text, std::optional<SenderAccess> &to) noexcept {
  std::optional<SenderAccess> access;
  if (text == "none") access = SenderAccess::none;
  if (text == "main" || text == "exec") access = SenderAccess::main;
  if (text == "all") access = SenderAccess::all;
  if (!to) to = access;
  return access.has_value();
}

/** Reads one line. False: the value is invalid. */
bool read_line(std::string_view variable, std::string_view value, NotifyMessage &message) noexcept {
  static constexpr struct {
    std::string_view variable, value;
    bool NotifyMessage::*said;
  } flags[] = {
      {"READY", "1", &NotifyMessage::ready},           {"RELOADING", "1", &NotifyMessage::reloading},
      {"STOPPING", "1", &NotifyMessage::stopping},     {"FDSTORE", "1", &NotifyMessage::stores},
      {"FDSTOREREMOVE", "1", &NotifyMessage::removes}, {"BARRIER", "1", &NotifyMessage::barrier},
      {"WATCHDOG", "1", &NotifyMessage::watchdog},     {"WATCHDOG", "trigger", &NotifyMessage::trigger},
  };
  for (auto const &flag : flags)
    if (flag.variable == variable && flag.value == value) return message.*flag.said = true;
  if (variable == "WATCHDOG") return false;
  if (variable == "STATUS") return read_text(value, true, message.status);
  if (variable == "FDNAME") return read_text(value, is_listen_name(value), message.name);
  if (variable == "MAINPID") return read_number(value, 1, INT_MAX, message.main);
  if (variable == "ERRNO") return read_number(value, 0, INT_MAX, message.error);
  if (variable == "EXTEND_TIMEOUT_USEC") return read_number(value, 0, UINT64_MAX, message.extend);
  if (variable == "WATCHDOG_USEC") return read_number(value, 0, UINT64_MAX, message.watchdog_us);
  if (variable == "NOTIFYACCESS") return read_access(value, message.access);
  return true;
}

} // namespace

std::optional<NotifyMessage> read_notify_message(std::string_view text) noexcept {
  if (text.size() > message_max || text.find('\0') != text.npos) return std::nullopt;
  NotifyMessage message;
  for (Cut line = {{}, text, true}; line.found;) {
    line = cut(line.tail, '\n');
    auto const [variable, value, found] = cut(line.head, '=');
    if (found && !read_line(variable, value, message) && message.invalid.empty()) message.invalid = line.head;
  }
  return message;
}

} // namespace pm::notify
