/** Answering calls by datagram, many at a time. */
#pragma once

#include "libpm/rpc/forwarder.h"
#include "libpm/rpc/portmapper.h"
#include "libpm/rpc/sockets.h"
#include "libpm/util/box.h"

namespace pm::rpc {

/** Answers calls by UDP. One object serves all sockets. */
class Datagrams {
 public:
  Datagrams(Portmapper &portmapper, Meter &meter) noexcept : portmapper_(&portmapper), meter_(&meter) {}

  /**
   * Answers a bounded number of calls that have arrived at a socket. It gives calls to be forwarded to the first of two forwarders
   * over IPv4 and to the second over IPv6, or drops them if it is null. A call longer than call_max is dropped.
   */
  void serve(RpcSocket const &socket, std::span<Box<Forwarder>> forwarders) noexcept;

 private:
  /**
   * One system call reads so many calls, and one sends the answers. The processor time of an answer, relative to two system calls
   * for each: 0.83 with 64 clients that send a call each at the same moment, 0.90 with 8 such clients, 1.0 with one, 0.79 with
   * one that has 64 calls under way. GETPORT takes 0.10 of rpcbind's time at 10,000 rows; it took 0.13 before. Joining the
   * answers to one client with UDP_SEGMENT helps only in the last of these cases.
   */
  static constexpr unsigned at_once = 32;

  struct Slot {
    SockAddr peer;
    struct iovec data;
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo))];
    List<char> reply;
    char call[call_max];
  };
  [[nodiscard]] unsigned receive(RpcSocket const &socket) noexcept;
  [[nodiscard]] bool answer(Slot &slot, RpcSocket const &socket, struct mmsghdr &received,
                            std::span<Box<Forwarder>> forwarders) noexcept;

  Portmapper *portmapper_;
  Meter *meter_;
  Slot slots_[at_once];
  struct mmsghdr received_[at_once]; /**< of the slot with the same index */
};

} // namespace pm::rpc
