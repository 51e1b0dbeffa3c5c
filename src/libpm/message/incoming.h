/** The messages that a connection receives. */
#pragma once

#include "libpm/message/frames.h"

namespace pm::message {

/** Reads frames and joins the fragments of a message. */
class Incoming {
 public:
  /** Borrows the socket. Until fragments are allowed, a payload has at most `payload_most` bytes. */
  Incoming(int socket, uint32_t payload_most) noexcept : frames_(socket, FrameReader::Reading::ahead, payload_most) {}

  void allow_fragments(uint32_t payload_most) noexcept { frames_.allow_fragments(payload_most); }

  /**
   * The next message; null if the connection ended between two messages. EAGAIN: the rest has not arrived yet. ECONNRESET: the
   * connection ended inside a message; EPROTO, EMSGSIZE: bad frames; ENOMEM, EMFILE.
   */
  [[nodiscard]] Result<Message *> next() noexcept;
  [[nodiscard]] bool has_more() const noexcept { return frames_.has_more(); }

 private:
  [[nodiscard]] Done join(Message &fragment) noexcept;

  FrameReader frames_;
  bool joining_ = false;
  List<char> bytes_; /**< the fragments of a message that have arrived */
  Message whole_;
};

} // namespace pm::message
