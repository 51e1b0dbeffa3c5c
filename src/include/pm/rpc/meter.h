/** How much may be sent to whom: so that nobody can make this host flood another, in whose name he asks. */
#ifndef PM_RPC_METER_H
#define PM_RPC_METER_H

#include <pm/rpc/universal.h>
#include <stdint.h>

namespace pm::onc {

/**
 * Buckets of bytes that fill with time: one for all, and one for each network, of 24 bits in IPv4 and 64 in IPv6, as far as they
 * go round; those that share one share what is in it.
 */
class Meter {
 public:
  static constexpr uint32_t network_size = 16384, network_rate = 2048; /**< bytes, and bytes a second */
  static constexpr uint32_t total_size = 262144, total_rate = 65536;
  /** Longest answer to anybody who is not on this host. */
  static constexpr size_t answer_max = 8192;

  /** Whether so many bytes may go there now, at `now` in milliseconds; if so, they are taken. */
  [[nodiscard]] bool take(Endpoint const &to, size_t bytes, uint64_t now) noexcept;
  /** The same now, for an answer to a datagram that `peer` has sent to `reached`: always, if he is on this host. */
  [[nodiscard]] bool allows(Endpoint const &peer, Endpoint const &reached, size_t bytes) noexcept;

 private:
  struct Bucket {
    uint64_t at = 0;
    uint32_t missing = 0; /**< bytes that were taken and have not come again */
  };
  [[nodiscard]] static bool has(Bucket &bucket, size_t bytes, uint32_t size, uint32_t rate, uint64_t now) noexcept;
  static constexpr size_t networks = 1024;
  Bucket total_, network_[networks];
};

/** Whether an address is one of this host's own: who sends from it is here. */
[[nodiscard]] bool is_here(Endpoint const &peer, Endpoint const &reached) noexcept;

} // namespace pm::onc

#endif
