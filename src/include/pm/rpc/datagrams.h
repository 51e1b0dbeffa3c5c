/** Calls by datagram, many at a time. */
#ifndef PM_RPC_DATAGRAMS_H
#define PM_RPC_DATAGRAMS_H

#include <pm/base/box.h>
#include <pm/rpc/forwarder.h>
#include <pm/rpc/portmapper.h>
#include <pm/rpc/sockets.h>

namespace pm::onc {

/** Room for a batch: one for all sockets. */
class Datagrams {
 public:
  static constexpr unsigned most = 32; /**< datagrams at a time */

  Datagrams() noexcept;

  /** Takes a batch, and does not wait: how many. What is longer than call_max is dropped by take(). */
  unsigned receive(Socket const &socket) noexcept;
  /** Answers them all, and sends the answers, or passes them on to `forwarder`, if there is one. */
  void answer(Socket const &socket, Portmapper &portmapper, Meter &meter, Forwarder *forwarder) noexcept;

 private:
  struct Slot {
    struct iovec data;
    Endpoint peer;
    alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
    size_t reply, size; /**< where in replies_ */
    unsigned run;       /**< how many answers are sent with this one */
    char bytes[call_max];
  };
  [[nodiscard]] bool answer_one(Socket const &socket, Slot &slot, unsigned size, Portmapper &portmapper, Meter &meter,
                                Forwarder *forwarder) noexcept;
  void prepare(Slot &slot, struct msghdr &message) noexcept;
  [[nodiscard]] Slot &slot_of(struct msghdr const &message) noexcept;
  [[nodiscard]] bool go_together(struct msghdr const &a, struct msghdr const &b) noexcept;
  [[nodiscard]] unsigned join(unsigned count) noexcept;
  void send_apart(Socket const &socket, struct msghdr &message) noexcept;
  void send(Socket const &socket, unsigned count) noexcept;

  struct mmsghdr headers_[most];
  unsigned count_ = 0;
  bool joins_ = true; /**< until the kernel, or an interface, does not take them so */
  List<char> replies_;
  Slot slots_[most];
};

} // namespace pm::onc

#endif
