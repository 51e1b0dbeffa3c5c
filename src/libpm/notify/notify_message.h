/** The messages of sd_notify(3). */
#pragma once

#include <stdint.h>
#include <sys/types.h>
#include <optional>
#include <string_view>

namespace pm::notify {

/** The longest message, in bytes: systemd's limit, PIPE_BUF. */
inline constexpr size_t message_max = 4096;

/** The name of a descriptor that comes without FDNAME: sd_pid_notify_with_fds(3). */
inline constexpr std::string_view default_descriptor_name = "stored";

/** Which processes may send messages, NOTIFYACCESS. */
enum class SenderAccess : uint8_t { none, main, all };

/** A message: lines VARIABLE=VALUE. It views the bytes that it was read from. Of two lines with one variable the first counts. */
struct NotifyMessage {
  bool ready = false, reloading = false, stopping = false;
  bool watchdog = false, trigger = false; /**< WATCHDOG=1, WATCHDOG=trigger */
  bool stores = false, removes = false;   /**< FDSTORE=1, FDSTOREREMOVE=1 */
  bool barrier = false;
  std::optional<std::string_view> status, name; /**< name: FDNAME, is_listen_name() */
  std::optional<pid_t> main;                    /**< MAINPID */
  std::optional<int> error;                     /**< ERRNO */
  std::optional<uint64_t> extend, watchdog_us;  /**< EXTEND_TIMEOUT_USEC, WATCHDOG_USEC: microseconds; UINT64_MAX: without end */
  std::optional<SenderAccess> access;
  std::string_view invalid; /**< the first line of these variables whose value is invalid; it has no effect */
};

/** Nothing: the message has a NUL, or more than message_max bytes. Unknown variables and empty lines have no effect. */
[[nodiscard]] std::optional<NotifyMessage> read_notify_message(std::string_view text) noexcept;

} // namespace pm::notify
