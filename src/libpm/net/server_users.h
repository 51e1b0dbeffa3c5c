/** Which users may run a server that gets a secret, a connection or a descriptor, or that gives one. */
#pragma once

#include <span>
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm {

/** Whether `user` is root, this process's effective user, or one of `others`. The overflow uid is none: it stands for many users. */
[[nodiscard]] bool is_trusted_user(uid_t user, std::span<uid_t const> others = {}) noexcept;

/** The users that a client trusts to run its server. Any user may bind an abstract name, or a path in a directory for all users. */
class ServerUsers {
 public:
  List<uid_t> others; /**< as well as root and this process's effective user */

  [[nodiscard]] bool has(uid_t user) const noexcept { return is_trusted_user(user, {others.begin(), others.size()}); }
  /**
   * Nothing if a trusted user runs the server at the other end of a connected Unix socket; otherwise that user. It is the one of the
   * process that called listen(2), or that made a datagram socket. ENOENT: a datagram socket of another network namespace.
   */
  [[nodiscard]] Result<std::optional<uid_t>> stranger_at(int socket) const noexcept;
};

/** Such as `the server runs as uid 1000, which is not root, uid 990 or a user of -u`. */
[[nodiscard]] Text<192> explain_stranger(uid_t user) noexcept;

} // namespace pm
