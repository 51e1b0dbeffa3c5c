#include <pm/base/known_peer.h>

#include <utility>

namespace pm {

Result<uint64_t> KnownPeer::start_time(int socket, Peer const &peer) noexcept {
  Fd process = peer_process(socket);
  // Two that live now and have one number are one.
  struct pollfd ended[] = {{process.get(), POLLIN, 0}, {process_.get(), POLLIN, 0}};
  if (process.valid() && pid_ == peer.pid && sys::poll(ended, 2, 0) == 0) return start_;
  auto const start = peer_start_time(socket, peer);
  if (start && process.valid()) {
    process_ = std::move(process);
    pid_ = peer.pid;
    start_ = *start;
  }
  return start;
}

} // namespace pm
