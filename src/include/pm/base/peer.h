/** Who is at the other end of a Unix socket, as the kernel knows it. */
#ifndef PM_BASE_PEER_H
#define PM_BASE_PEER_H

#include <pm/base/fd.h>
#include <pm/base/list.h>
#include <pm/base/result.h>
#include <pm/base/text.h>
#include <stdint.h>
#include <sys/types.h>
#include <optional>

namespace pm {

/** Of the moment it connected, or listened. */
struct Peer {
  uid_t uid; /**< effective */
  gid_t gid;
  pid_t pid;                         /**< 0: a process that has no number here */
  std::optional<List<gid_t>> groups; /**< supplementary, ascending; nothing: Linux before 4.13 does not say */
};

/** Of a connected Unix socket. ENOTSOCK, ENOTCONN, EAFNOSUPPORT (no Unix socket). */
[[nodiscard]] Result<Peer> peer_of(int socket) noexcept;

/** A pidfd of the peer's process, SO_PEERPIDFD; invalid where the kernel has none (Linux before 6.5), or the process is gone. */
[[nodiscard]] Fd peer_process(int socket) noexcept;

/** When the peer's process started, as start_time(). ESRCH: it is gone, has no number here, or its number may be another's by now. */
[[nodiscard]] Result<uint64_t> peer_start_time(int socket, Peer const &peer) noexcept;

/** The security label of the peer's process (SO_PEERSEC: SELinux, AppArmor, Smack); nothing where no module keeps one. */
[[nodiscard]] Result<std::optional<Text<256>>> peer_label(int socket) noexcept;

} // namespace pm

#endif
