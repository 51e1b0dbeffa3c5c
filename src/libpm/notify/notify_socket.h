/** The socket of sd_notify(3). */
#pragma once

#include <pm/passing.h>
#include "libpm/net/sock_addr.h"
#include "libpm/notify/notify_message.h"

namespace pm::notify {

/**
 * A datagram socket with an abstract name, so that nothing remains in the file system and a program in a chroot reaches it. Every
 * process of the network namespace can: the kernel's credentials say who sent a message. Nothing here waits.
 */
class NotifySocket {
 public:
  /** Binds it to a name that no other socket has had. */
  [[nodiscard]] static Result<NotifySocket> make() noexcept;

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /** For NOTIFY_SOCKET: @NAME. */
  [[nodiscard]] std::string_view name() const noexcept { return name_.view(); }

  /**
   * The process that has sent the next message; its pid is 0 if it has no number in this pid namespace. EAGAIN: there is no
   * message.
   */
  [[nodiscard]] Result<struct ucred> sender() const noexcept;
  /**
   * Takes the next message, whose bytes are valid until the next call, and its descriptors; null: the kernel closes these, and
   * this process does not get them. EAGAIN; EMFILE: there was no room for the descriptors; EMSGSIZE: it is longer than
   * message_max. After an error the message is lost.
   */
  [[nodiscard]] Result<std::string_view> receive(message::Descriptors *descriptors) noexcept;

 private:
  Fd fd_;
  Text<64> name_;
  char bytes_[message_max + 1] = {};
};

} // namespace pm::notify
