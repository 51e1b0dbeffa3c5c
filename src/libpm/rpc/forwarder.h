/** Forwarding calls without blocking, and without a process for each. */
#pragma once

#include "libpm/os/sys.h"
#include "libpm/os/time.h"
#include "libpm/rpc/meter.h"
#include "libpm/rpc/portmapper.h"

namespace pm::rpc {

/**
 * Passes calls of one IP family on, and their answers back. It has one socket, and a table of the calls without an answer yet.
 */
class Forwarder {
 public:
  /** Calls in the table. If it is full, a new call replaces the oldest one of the client with most calls. */
  static constexpr size_t most = 64;
  static constexpr uint32_t patience = 5000; /**< how long a call stays in the table, ms */

  Forwarder(Portmapper &portmapper, Meter &meter) noexcept : portmapper_(&portmapper), meter_(&meter) {}

  /** Makes a socket of that family, on a port of its own. The clients' answers come from that port too. */
  [[nodiscard]] Done open(int family) noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  /** Passes Portmapper::forward() on, after an answer with Outcome::forward. It drops a call that is already in the table. */
  void pass(CallOrigin const &origin) noexcept;
  /** Reads a bounded number of answers, and sends each to its client. */
  void answer() noexcept;

 private:
  struct Pending {
    SockAddr client, service;
    SockAddr source;                           /**< the answer has this source address */
    SockAddr shown;                            /**< this host's address in the answer */
    uint32_t client_xid, version, procedure;   /**< of the call to the port mapper */
    uint32_t program, program_version, called; /**< the procedure that is called, and its program */
    Netid transport;
    Deadline deadline;
    uint64_t number;  /**< ascending, in the order in which the calls were passed on */
    uint32_t xid = 0; /**< of the forwarded call; 0: this place is free */
  };
  [[nodiscard]] Pending &make_room() noexcept;
  void settle(Pending &pending, bool done) noexcept;
  void send_back(Pending const &pending, std::string_view results) noexcept;

  Portmapper *portmapper_;
  Meter *meter_;
  Fd fd_;
  Pending pending_[most];
  uint64_t last_number_ = 0;
};

} // namespace pm::rpc
