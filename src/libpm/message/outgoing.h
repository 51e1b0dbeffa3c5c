/** The message that a connection sends. */
#pragma once

#include "libpm/message/frames.h"

namespace pm::message {

/** The frames of one message that were not sent yet, and the descriptors that go with the first frame. */
class Outgoing {
 public:
  Outgoing() noexcept = default;
  Outgoing(Outgoing const &) = delete;
  Outgoing &operator=(Outgoing const &) = delete;
  ~Outgoing() { clear(); }

  /** Drops the previous message, and returns an encoder for the next one. ENOMEM. */
  [[nodiscard]] Result<xdr::Encoder> begin() noexcept;
  /** Cuts the encoded message into frames of at most `packet_size` bytes. EMSGSIZE, ENOMEM: the message is dropped. */
  [[nodiscard]] Done cut(uint32_t type, uint32_t packet_size) noexcept;
  /** Sends as much as the socket has room for. EAGAIN: a part is left. */
  [[nodiscard]] Done send(int socket) noexcept;
  /** Replaces the unsent descriptors by copies, so that their owner may close them. EMFILE: the message is dropped. */
  [[nodiscard]] Done copy_descriptors() noexcept;
  /** Whether a part of the message was sent. */
  [[nodiscard]] bool has_begun() const noexcept { return sent_ > 0; }
  void clear() noexcept;

 private:
  List<char> bytes_;
  List<int> descriptors_;
  size_t sent_ = 0;
  bool owns_descriptors_ = false;
};

} // namespace pm::message
