/** Limiting the bytes sent to other hosts: a client that forges its address could otherwise make this host flood another one. */
#pragma once

#include <stdint.h>
#include "libpm/net/sock_addr.h"

namespace pm::rpc {

/**
 * Token buckets, which fill with time: one for all hosts, and one for each network, of 24 bits in IPv4 and 64 bits in IPv6.
 * Networks with the same hash share a bucket.
 */
class Meter {
 public:
  static constexpr uint32_t network_size = 16384, network_rate = 2048; /**< bytes, and bytes a second */
  static constexpr uint32_t total_size = 262144, total_rate = 65536;
  /** Longest answer to another host. */
  static constexpr size_t answer_max = 8192;

  /** Whether so many bytes may be sent to this address at `now`, in milliseconds. If so, they are taken from the buckets. */
  [[nodiscard]] bool take(SockAddr const &to, size_t bytes, uint64_t now) noexcept;
  /**
   * The same at the present time, for the answer to a datagram from `peer` to `reached`. It is always true if the peer is on this
   * host.
   */
  [[nodiscard]] bool allows(SockAddr const &peer, SockAddr const &reached, size_t bytes) noexcept;

 private:
  struct Bucket {
    uint64_t at = 0;
    uint32_t missing = 0; /**< bytes that were taken and have not been refilled */
  };
  [[nodiscard]] static bool has(Bucket &bucket, size_t bytes, uint32_t size, uint32_t rate, uint64_t now) noexcept;
  static constexpr size_t networks = 1024;
  Bucket total_, network_[networks];
};

/** Whether the address of a peer that sent to `reached` is one of this host's own. */
[[nodiscard]] bool is_here(SockAddr const &peer, SockAddr const &reached) noexcept;

} // namespace pm::rpc
