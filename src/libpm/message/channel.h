/** Requests and replies of a daemon that has no pm::Connection, one call for each message. */
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
  /** Borrows the descriptors: the same socket twice, or the two that a super-server gives a program (0 and 1). */
  Channel(int in, int out, FrameReader::Reading reading = FrameReader::Reading::exactly) noexcept
      : in_(in), out_(out), reader_(in, reading) {}

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
  [[nodiscard]] Done send(uint32_t type, std::string_view payload, std::span<int const> descriptors, Limit limit) noexcept;

  /** The same for a struct that has a `type` and lists its fields, pm/xdr.h. */
  template <class T>
  [[nodiscard]] Done send(T const &value, Limit limit) noexcept {
    List<char> frame;
    List<int> descriptors;
    if (!append_frame(value, frame, descriptors)) return failed("encode a message", EMSGSIZE);
    return send_frame(frame, {descriptors.begin(), descriptors.size()}, limit);
  }

  /** Whether the peer has read all sent bytes, SIOCOUTQ of unix(7). */
  [[nodiscard]] bool is_delivered() const noexcept;

 private:
  [[nodiscard]] Done send_frame(List<char> const &frame, std::span<int const> descriptors, Limit limit) noexcept;

  int in_, out_;
  FrameReader reader_;
};

} // namespace pm::message
