/** A worker's connection to a process that offers descriptors. */
#pragma once

#include "libpm/handover/handover.h"

namespace pm::handover {

/** A peer that offers descriptors: its messages, and the answers to them. An answer is sent without waiting for the peer to read it. */
class OfferingPeer {
 public:
  /** Owns a connected socket. `user`: of the peer. `patience`: ms from one answer to the next offer, 0: without limit. */
  OfferingPeer(Fd socket, uid_t user, uint32_t patience = 0) noexcept
      : socket_(std::move(socket)),
        user_(user),
        channel_(socket_.get(), socket_.get(), hand_over_protocol),
        patience_(patience),
        deadline_(time_limit(patience)) {}
  /** Borrows a datagram socket. An answer goes to the sender of the last datagram. */
  explicit OfferingPeer(int datagrams) noexcept : channel_(datagrams, datagrams, hand_over_protocol) {}
  OfferingPeer(OfferingPeer const &) = delete;

  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  /** The user of a connected peer. */
  [[nodiscard]] uid_t user() const noexcept { return user_; }
  /** Whether bytes of the next message were read: poll(2) does not report them. */
  [[nodiscard]] bool has_more() const noexcept { return channel_.has_more(); }
  /** The sender of the last datagram. */
  [[nodiscard]] Sender const &sender() const noexcept { return channel_.sender(); }
  /** The time until the peer must have made its next offer, as poll(2) takes it. */
  [[nodiscard]] int time_left() const noexcept { return deadline_.remaining(); }
  /** Whether an offer of this peer was answered. */
  [[nodiscard]] bool is_answered() const noexcept { return answered_; }

  /** The next message, null at the end of the connection. EAGAIN: it has not come yet. */
  [[nodiscard]] Result<message::Message *> receive() noexcept { return channel_.receive_now(); }
  /** Whether a message is an offer with a descriptor. */
  [[nodiscard]] static bool read(message::Message &message, Offer &offer) noexcept {
    return message.is(offer) && offer.descriptor.valid();
  }

  /** Answers that the descriptor was taken. */
  [[nodiscard]] Done accept() noexcept { return answer(message::Finished()); }
  /** Answers that the descriptor was not taken, and why. */
  void refuse(std::string_view why) noexcept { (void)answer(message::Refused{.text = Text<256>(why).view()}); }
  /** Answers that there is no room. */
  void turn_away() noexcept { (void)answer(message::Refused{Status::exhausted}); }

 private:
  template <class Answer>
  Done answer(Answer const &value) noexcept {
    answered_ = true;
    deadline_ = time_limit(patience_);
    return channel_.send(value, Deadline::passed());
  }

  Fd socket_; /**< invalid where it is borrowed */
  uid_t user_ = 0;
  message::Channel channel_;
  uint32_t patience_ = 0;
  Deadline deadline_;
  bool answered_ = false;
};

} // namespace pm::handover
