/** Frames: the layout of messages and their descriptors on a socket. */
#pragma once

#include <pm/connection.h>
#include "libpm/message/passing.h"

namespace pm::message {

/** A frame is this header and the payload. The header is three words of four bytes, most significant byte first. */
struct FrameHeader {
  uint32_t type, size, descriptors; /**< size: of the payload, bytes; descriptors: the number that belongs to the frame */
  static auto fields(auto &m) noexcept { return std::tie(m.type, m.size, m.descriptors); }
};
inline constexpr size_t header_size = 12;

/** The longest payload of a frame, in bytes. */
inline constexpr uint32_t payload_max = Connection::packet_max - header_size;

/** A bit of FrameHeader::descriptors, if both sides use fragments: another frame continues this message. */
inline constexpr uint32_t more_follows = 0x80000000;

/** Writes a header to `to`, which has room for it. */
void write_header(char *to, FrameHeader const &header) noexcept;

/**
 * Appends `value` as a frame, and the numbers of its descriptors, which `value` still owns. False: there is no memory, or it is
 * too long.
 */
template <class T>
[[nodiscard]] bool append_frame(T const &value, List<char> &out, List<int> &descriptors) noexcept {
  size_t const start = out.size();
  xdr::Encoder encoder(out, &descriptors);
  if (!out.resize(start + header_size) || !encoder(value)) return false;
  size_t const size = out.size() - start - header_size;
  write_header(out.begin() + start,
               {static_cast<uint32_t>(T::type), static_cast<uint32_t>(size), static_cast<uint32_t>(descriptors.size())});
  return size <= payload_max && descriptors.size() <= descriptors_max;
}

/** Reads frames from a socket, without waiting. */
class FrameReader {
 public:
  /**
   * How far a stream is read. `exactly`: to the end of a frame, so descriptors of another frame are an error of framing. `ahead`:
   * as far as one call goes; the descriptors belong to the frames in their order. Packets are always read as a whole.
   */
  enum class Reading : uint8_t { exactly, ahead };

  /** Borrows the socket. */
  FrameReader(int socket, Reading reading, uint32_t payload_most = payload_max) noexcept
      : socket_(socket), ahead_(reading == Reading::ahead), payload_most_(payload_most) {}

  /**
   * The next frame; null if the stream ended between two frames. EAGAIN: the rest has not arrived yet; a partial frame is kept.
   * EPROTO: the stream ended inside a frame, or the number of descriptors differs from the header's; EMSGSIZE: the payload is too
   * long, or there are more than 253 descriptors; EMFILE: there was no room for the descriptors; ENOTSOCK. After an error no
   * descriptor is kept.
   */
  [[nodiscard]] Result<Message *> next() noexcept;

  /** Whether bytes of the next frame were read already: poll(2) does not report them. */
  [[nodiscard]] bool has_more() const noexcept { return have_ > used_; }
  /** Whether another frame continues the message of the last frame. */
  [[nodiscard]] bool is_fragment() const noexcept { return is_fragment_; }
  /** After EPROTO: whether the stream ended inside a frame. */
  [[nodiscard]] bool is_cut_short() const noexcept { return cut_short_; }

  /** From now on a payload has at most `most` bytes, and a frame may be a fragment. */
  void allow_fragments(uint32_t most) noexcept {
    payload_most_ = most;
    fragments_ = more_follows;
  }

  /** The sender of the last datagram; size 0: it has no address for an answer. */
  [[nodiscard]] Sender const &sender() const noexcept { return sender_; }
  [[nodiscard]] bool is_datagram() const noexcept { return kind_ == SOCK_DGRAM; }

  /** Drops a partial frame and its descriptors. */
  void clear() noexcept;

 private:
  [[nodiscard]] Result<Message *> read_frame() noexcept;
  [[nodiscard]] Result<Message *> read_packet() noexcept;
  [[nodiscard]] Result<Message *> cut_off(size_t &wanted) noexcept;
  [[nodiscard]] Result<size_t> receive_to(size_t size) noexcept;

  int socket_;
  int kind_ = 0; /**< SO_TYPE; 0: not known yet */
  bool ahead_;
  bool is_fragment_ = false, cut_short_ = false;
  uint32_t payload_most_;
  uint32_t fragments_ = 0; /**< more_follows if both sides use fragments */
  List<char> buffer_;
  size_t have_ = 0, used_ = 0; /**< the bytes in the buffer, and how many of them next() returned */
  Descriptors came_;           /**< those of frames that next() has not returned yet */
  Message message_;
  Sender sender_ = {};
};

} // namespace pm::message
