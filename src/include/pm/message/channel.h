/** Frames with descriptors over a Unix socket: what every conversation here is made of. */
#ifndef PM_MESSAGE_CHANNEL_H
#define PM_MESSAGE_CHANNEL_H

#include <pm/base/list.h>
#include <pm/base/result.h>
#include <pm/base/time.h>
#include <pm/message/passing.h>
#include <pm/xdr/xdr.h>
#include <initializer_list>
#include <optional>

namespace pm::message {

/**
 * A frame: three words of four bytes, most significant first, and the payload. How many descriptors belong to it is said,
 * and any other number of them that comes with its bytes is an error of framing.
 */
struct Header {
  uint32_t type, size, descriptors; /**< size: of the payload, bytes */
  template <class Coder>
  static bool fields(Coder &coder, auto &self) noexcept {
    return coder(self.type, self.size, self.descriptors);
  }
};
inline constexpr size_t header_size = 12;

/** Longest payload of a frame, bytes. */
inline constexpr uint32_t payload_max = 65536;

/** In a header's count of descriptors, where fragments were agreed on: another frame goes on with this message. */
inline constexpr uint32_t more_follows = 0x80000000;

/** A message of type and payload, header first; whose descriptor, one, stays the caller's. */
struct Encoded {
  std::string_view bytes;
  int descriptor;
};
/** Appends a message with one descriptor among its fields to `out`. False: there is no memory, or something is longer than it may be. */
template <class T>
[[nodiscard]] bool encode(T const &value, List<char> &out) noexcept {
  size_t const start = out.size();
  List<int> descriptors;
  xdr::Encoder encoder(out, &descriptors);
  // How long it is, is known behind it.
  if (!encoder(Header{static_cast<uint32_t>(T::type), 0, 1}, value)) return false;
  auto const size = static_cast<uint32_t>(out.size() - start - header_size);
  for (size_t i = 0; i < sizeof size; ++i) out[start + 4 + i] = static_cast<char>(size >> (24 - 8 * i));
  return size <= payload_max;
}

/** What was received. The payload is valid, and the descriptors are its own, until the next is received. */
struct Message {
  uint32_t type = 0;
  std::string_view payload;
  Descriptors descriptors;
  bool more = false; /**< it is not all of it: a fragment */

  /** The whole payload as a T, which views it, and takes the descriptors that are its fields; what it had before is closed. False: it is none. */
  template <class T>
  [[nodiscard]] bool read(T &value) noexcept {
    xdr::Decoder decoder(payload, descriptors.all());
    return decoder(value) && decoder.at_end();
  }
  /** The same, where it may be of another type. */
  template <class T>
  [[nodiscard]] bool is(T &value) noexcept {
    return type == static_cast<uint32_t>(T::type) && read(value);
  }
};

/**
 * One side of a conversation, over a stream or over a socket that keeps packets apart. Every call has a deadline for the
 * whole of it and a stop descriptor (-1: none), and returns ETIMEDOUT or ECANCELED because of them. After any error but of
 * a send that sent nothing (ETOOMANYREFS, EMSGSIZE) there is nothing more to be said: close. A datagram socket goes on.
 */
class Channel {
 public:
  /** Borrows the descriptors: one socket, or the two that a super-server gives a program (0 and 1). */
  Channel(int in, int out) noexcept : in_(in), out_(out) {}

  /**
   * Waits for a message; null at the end of file between two. EPROTO: an end of file inside of one, descriptors that
   * were not announced, or fewer than were; EMSGSIZE: longer than payload_max, or more than 253 descriptors; EMFILE: there
   * was no room for the descriptors (MSG_CTRUNC); ENOTSOCK. After an error no descriptor is kept.
   */
  [[nodiscard]] Result<Message *> receive(Deadline deadline, int stop = -1) noexcept {
    return receive_by<&Channel::receive_now>(deadline, stop);
  }
  /** The same of what is known to be a stream. */
  [[nodiscard]] Result<Message *> receive_stream(Deadline deadline, int stop = -1) noexcept {
    return receive_by<&Channel::receive_frame>(deadline, stop);
  }

  /** The same without waiting: EAGAIN when there is not the whole of one yet; what there is is kept, ask again. */
  [[nodiscard]] Result<Message *> receive_now() noexcept;

  /**
   * As receive_now(), of a stream that nobody else is to read from: it is read further than one message at a time, and
   * descriptors are the messages' in the order of both. Use this one alone on a connection. has_more(): more of what comes
   * next is here already.
   */
  [[nodiscard]] Result<Message *> receive_ahead() noexcept;
  [[nodiscard]] bool has_more() const noexcept { return have_ > used_; }

  /** After EPROTO of receive_ahead(): the stream ended inside of a frame. */
  [[nodiscard]] bool is_cut_short() const noexcept { return cut_short_; }

  /** From now on a frame's payload has at most `most` bytes, and may be a fragment. */
  void agree(uint32_t most) noexcept {
    payload_most_ = most;
    fragments_ = more_follows;
  }

  /** Of the datagram that was received last. */
  [[nodiscard]] Sender const &sender() const noexcept { return sender_; }

  /** Sends one, with descriptors that stay the caller's; on a datagram socket, to who sent the last one received, if any did. EMSGSIZE; EPIPE, without a signal; ETOOMANYREFS: too many are under way. */
  [[nodiscard]] Done send(uint32_t type, std::string_view payload, std::span<int const> descriptors, Deadline deadline,
                          int stop = -1) noexcept;

  /** The same of a struct that has a `type` and lists its fields (pm/xdr/xdr.h), descriptors among them: they stay its own. */
  template <class T>
  [[nodiscard]] Done send(T const &value, Deadline deadline, int stop = -1) noexcept {
    List<char> payload;
    List<int> descriptors;
    xdr::Encoder encoder(payload, &descriptors);
    if (!encoder(value)) return failed("encode a message", EMSGSIZE);
    return send(static_cast<uint32_t>(T::type), {payload.begin(), payload.size()}, {descriptors.begin(), descriptors.size()},
                deadline, stop);
  }

  /**
   * Sends messages that are encoded already, over a stream and without waiting, with as few calls as there can be: how many
   * went; the first says why it did not (EAGAIN: there is no room). Each is small enough to be sent whole or not at all, for
   * unix(7) makes one buffer of it.
   */
  [[nodiscard]] Result<size_t> send_ready(std::span<Encoded const> messages) noexcept;

  /** Whether the other side has taken all that was sent to it, SIOCOUTQ of unix(7). */
  [[nodiscard]] bool is_delivered() const noexcept;

 private:
  /** Waits first: an answer, or the next question, is seldom there already. */
  template <auto Step>
  [[nodiscard]] Result<Message *> receive_by(Deadline deadline, int stop) noexcept {
    for (;;) {
      if (auto const ready = wait(deadline, stop); !ready) return fail(ready);
      auto const received = (this->*Step)();
      if (received || (received.error().code != EAGAIN && received.error().code != EINTR)) return received;
    }
  }
  [[nodiscard]] Done wait(Deadline deadline, int stop) noexcept;
  [[nodiscard]] int read_header(std::string_view bytes, Header &header) noexcept;
  [[nodiscard]] Result<Message *> receive_frame() noexcept;
  [[nodiscard]] Result<Message *> receive_packet() noexcept;
  [[nodiscard]] Result<Message *> finish(Header const &header, std::string_view payload) noexcept;

  int in_, out_;
  int kind_ = 0;      /**< SO_TYPE; 0: not asked yet */
  List<char> buffer_; /**< header and payload, as far as they came */
  size_t have_ = 0;
  size_t used_ = 0;  /**< of these, by receive_ahead(): the messages that were handed out */
  Descriptors came_; /**< by receive_ahead(): those of messages that were not handed out yet */
  uint32_t payload_most_ = payload_max;
  uint32_t fragments_ = 0; /**< the bit that marks one; 0: there are none */
  bool cut_short_ = false;
  Message message_;
  Sender sender_ = {};
};

} // namespace pm::message

#endif
