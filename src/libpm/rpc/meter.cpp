#include "libpm/rpc/meter.h"

#include <algorithm>
#include "libpm/net/network.h"
#include "libpm/os/time.h"

namespace pm::rpc {

bool Meter::has(Bucket &bucket, size_t bytes, uint32_t size, uint32_t rate, uint64_t now) noexcept {
  uint64_t const came = (now - bucket.at) * rate / 1000;
  if (came) {
    bucket.missing -= static_cast<uint32_t>(std::min<uint64_t>(bucket.missing, came));
    bucket.at = now;
  }
  return bytes <= size - bucket.missing;
}

bool Meter::take(SockAddr const &to, size_t bytes, uint64_t now) noexcept {
  if (bytes > answer_max) return false;
  auto const network = network_of(to, {24, 64});
  uint32_t hash = 2166136261U;
  for (char const c : network.host_bytes()) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  Bucket &own = network_[(hash >> 10 ^ hash) % networks];
  if (!has(own, bytes, network_size, network_rate, now) || !has(total_, bytes, total_size, total_rate, now)) return false;
  own.missing += static_cast<uint32_t>(bytes);
  total_.missing += static_cast<uint32_t>(bytes);
  return true;
}

bool is_here(SockAddr const &peer, SockAddr const &reached) noexcept {
  if (peer.is_loopback() || same_host(peer, reached)) return true;
  return peer.family() == AF_INET && *peer.host_bytes().data() == 127;
}

bool Meter::allows(SockAddr const &peer, SockAddr const &reached, size_t bytes) noexcept {
  return is_here(peer, reached) || take(peer, bytes, boottime() / 1'000'000);
}

} // namespace pm::rpc
