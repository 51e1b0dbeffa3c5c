/** Calls that are passed on, without a process for each, and without waiting. */
#ifndef PM_RPC_FORWARDER_H
#define PM_RPC_FORWARDER_H

#include <pm/base/fd.h>
#include <pm/base/time.h>
#include <pm/rpc/meter.h>
#include <pm/rpc/portmapper.h>

namespace pm::onc {

/** Passes calls of one IP family on, and their answers back: a socket, and a table of those that are not answered yet. */
class Forwarder {
 public:
  static constexpr size_t most = 64;         /**< calls at a time; more are dropped */
  static constexpr uint32_t patience = 5000; /**< how long an answer is waited for, ms */

  Forwarder(Portmapper &portmapper, Meter &meter) noexcept : portmapper_(&portmapper), meter_(&meter) {}

  /** A socket of that family, on a port of its own, from which the answers go as well. */
  [[nodiscard]] Done open(int family) noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  /** Passes one on: what the portmapper's last answer was. A call that is under way already is dropped. */
  void pass(Caller const &caller) noexcept;
  /** Takes answers, a bounded number, and sends each to whoever waits for it. */
  void answer() noexcept;

 private:
  struct Pending {
    Endpoint caller, reached, service;
    uint32_t caller_xid, version, procedure; /**< of the call to us */
    uint32_t program, program_version, called;
    Netid transport;
    Deadline deadline;
    uint32_t xid = 0; /**< of the call that was passed on; 0: this is free */
  };
  void settle(Pending &pending, bool done) noexcept;
  void send_back(Pending const &pending, std::string_view results) noexcept;

  Portmapper *portmapper_;
  Meter *meter_;
  Fd fd_;
  Pending pending_[most];
};

} // namespace pm::onc

#endif
