/** The peer of a Unix socket, as the kernel reports it. */
#pragma once

#include <pm/types.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <optional>
#include "libpm/os/sys.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm {

/** The peer at the moment when it connected, or listened. */
struct Peer {
  uid_t uid; /**< effective */
  gid_t gid;
  pid_t pid;                         /**< 0: a process without a number in this pid namespace */
  std::optional<List<gid_t>> groups; /**< supplementary, ascending; nothing: Linux before 4.13 does not report them */
};

/** The credentials of a connected Unix socket's peer (SO_PEERCRED), without its groups. ENOTSOCK. */
[[nodiscard]] Result<struct ucred> peer_credentials(int socket) noexcept;

/** The peer of a connected Unix socket. ENOTSOCK, ENOTCONN, EAFNOSUPPORT (not a Unix socket). */
[[nodiscard]] Result<Peer> peer_of(int socket) noexcept;

/**
 * A pidfd of the peer's process, SO_PEERPIDFD. Invalid where the kernel has none (Linux before 6.5), or after the process has
 * ended.
 */
[[nodiscard]] Fd peer_process(int socket) noexcept;

/**
 * The same, and before Linux 6.5 a pidfd of the process that has the peer's number now. ESRCH: the process has ended. EINVAL: it has no
 * number in this pid namespace, or the kernel has no pidfds.
 */
[[nodiscard]] Result<Fd> running_peer_process(int socket) noexcept;

/**
 * When the peer's process started, as start_time(). ESRCH: it has ended, has no number in this pid namespace, or its number may
 * belong to another process by now. EPERM: as start_time().
 */
[[nodiscard]] Result<uint64_t> peer_start_time(int socket, Peer const &peer) noexcept;

/** The security label of the peer's process (SO_PEERSEC: SELinux, AppArmor, Smack); nothing where no module has one. */
[[nodiscard]] Result<std::optional<Text<256>>> peer_label(int socket) noexcept;

} // namespace pm
