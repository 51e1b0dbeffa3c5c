/** The start time of a process that connects again and again, for less than peer_start_time() costs. */
#ifndef PM_BASE_KNOWN_PEER_H
#define PM_BASE_KNOWN_PEER_H

#include <pm/base/fd.h>
#include <pm/base/peer.h>

namespace pm {

/** The last peer that was asked about, while it lives. */
class KnownPeer {
 public:
  /** As peer_start_time(). */
  [[nodiscard]] Result<uint64_t> start_time(int socket, Peer const &peer) noexcept;

 private:
  Fd process_;
  pid_t pid_ = 0;
  uint64_t start_ = 0;
};

} // namespace pm

#endif
