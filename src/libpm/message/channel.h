/** Messages over a socket, one call for each: all that a daemon without a hello needs, and what pm::Connection stands on. */
#pragma once

#include "libpm/message/frames.h"
#include "libpm/os/time.h"

namespace pm::message {

/**
 * One end of a stream, packet or datagram socket that carries frames. After an error, close it. Exceptions are a send that sent
 * nothing (ETOOMANYREFS, EMSGSIZE), and a datagram socket.
 */
class Channel {
 public:
  /**
   * Borrows the descriptors: the same socket twice, or the two that a super-server gives a program (0 and 1). `packet_size`: of
   * the longest frame, both ways.
   */
  Channel(int in, int out, Protocol const &protocol, uint32_t packet_size = Connection::packet_max) noexcept
      : in_(in), out_(out), reader_(in, protocol, packet_size), writer_(packet_size) {}

  /** From now on a message may have several frames, of at most `packet_size` bytes each. The peer must do the same. */
  void allow_fragments(uint32_t packet_size) noexcept {
    reader_.allow_fragments(packet_size);
    writer_.allow_fragments(packet_size);
  }

  /** Waits for a message; null if the stream ended between two messages. Errors as FrameReader::next(), ETIMEDOUT, ECANCELED. */
  [[nodiscard]] Result<Message *> receive(Limit limit) noexcept;
  /** The same without waiting. EAGAIN: the message is not complete yet. */
  [[nodiscard]] Result<Message *> receive_now() noexcept { return reader_.next(); }
  /** Whether bytes of the next message were read already: poll(2) does not report them. */
  [[nodiscard]] bool has_more() const noexcept { return reader_.has_more(); }
  /** The sender of the last datagram. */
  [[nodiscard]] Sender const &sender() const noexcept { return reader_.sender(); }

  /**
   * Sends a message and copies of the descriptors, which the caller still owns. On a datagram socket it goes to the sender of the
   * last message, if there was one. EMSGSIZE; EPIPE, without a signal; ETOOMANYREFS: too many descriptors are in flight.
   */
  template <class T>
  [[nodiscard]] Done send(T const &value, Limit limit) noexcept {
    auto const put = writer_.put(value);
    return put ? send_all(limit) : put;
  }
  /** The same for a message that is encoded already. */
  [[nodiscard]] Done send(uint32_t type, std::string_view payload, std::span<int const> descriptors, Limit limit) noexcept {
    auto const put = writer_.put(type, payload, descriptors);
    return put ? send_all(limit) : put;
  }
  /** For a sender that does not wait: write to it, then call send_now(), until that returns another error than EAGAIN. */
  [[nodiscard]] FrameWriter &writer() noexcept { return writer_; }
  [[nodiscard]] Done send_now() noexcept { return writer_.send(out_); }

 private:
  [[nodiscard]] Done send_all(Limit limit) noexcept;

  int in_, out_;
  FrameReader reader_;
  FrameWriter writer_;
};

} // namespace pm::message
