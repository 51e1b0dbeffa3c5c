/** The addresses of this host's interfaces. */
#pragma once

#include <pm/types.h>
#include "libpm/net/sock_addr.h"
#include "libpm/util/result.h"

namespace pm::rpc {

/**
 * A list of the addresses, which is read again after a change: rtnetlink(7). If the kernel does not report changes, it is read each
 * time.
 */
class Interfaces {
 public:
  struct Entry {
    SockAddr address, mask;
    uint32_t interface;
    bool multicasts;
  };

  /** Makes the kernel report changes. Without this, or after a failure, there is no descriptor. */
  [[nodiscard]] Done open() noexcept;
  /** A descriptor that is readable when refresh() has something to do; -1: there is none. */
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /** Reads the addresses if they have changed. The functions below use what was read. */
  void refresh() noexcept;
  /** How often the addresses were read. */
  [[nodiscard]] uint64_t reads() const noexcept { return reads_; }

  [[nodiscard]] std::span<Entry const> all() const noexcept { return {entries_.begin(), entries_.size()}; }
  /** Whether it is an address of this host: an interface has it, or it is in an IPv4 network of loopback. */
  [[nodiscard]] bool have(SockAddr const &address) const noexcept;
  /**
   * The address of an interface in the network of `near`: `preferred` if it is there, else `near` itself, else the first one. None:
   * this host has no such interface. Its port is 0.
   */
  [[nodiscard]] SockAddr in_network_of(SockAddr const &near, SockAddr const &preferred) const noexcept;

 private:
  Fd fd_;
  bool stale_ = true;
  uint64_t reads_ = 0;
  List<Entry> entries_;
};

} // namespace pm::rpc
