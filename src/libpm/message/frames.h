/** Frames: the layout of messages and their descriptors on a socket. One class reads them, and one writes them. */
#pragma once

#include <pm/connection.h>
#include "libpm/message/passing.h"

namespace pm::message {

/** A frame is this header and the payload. The header is three words of four bytes, most significant byte first. */
struct FrameHeader {
  uint32_t type, size, descriptors; /**< size: of the payload, bytes; descriptors: the number that belongs to the frame */
  static auto fields(auto &m) noexcept { return std::tie(m.type, m.size, m.descriptors); }
};
inline constexpr uint32_t header_size = 12;

/** A bit of FrameHeader::descriptors, if both sides use fragments: another frame continues this message. */
inline constexpr uint32_t more_follows = 0x80000000;

/**
 * Reads messages from a socket, without waiting. It reads a stream as far as one call goes; the descriptors belong to the frames
 * in their order. A packet is one frame.
 */
class FrameReader {
 public:
  /** Borrows both. A frame has at most `packet_size` bytes, and is a message. */
  FrameReader(int socket, Protocol const &protocol, uint32_t packet_size) noexcept
      : socket_(socket), protocol_(&protocol), packet_size_(packet_size) {}
  /** From now on a message may have several frames, of at most `packet_size` bytes each. */
  void allow_fragments(uint32_t packet_size) noexcept {
    packet_size_ = packet_size;
    fragments_ = more_follows;
  }

  /**
   * The next message; null if the stream ended between two messages. EAGAIN: the rest has not arrived yet; a part is kept.
   * ECONNRESET: the stream ended inside a message; EMSGSIZE: a frame is too long; EPROTO: the number of descriptors differs from
   * the header's, or is more than the protocol allows, or a fragment is wrong; EMFILE: there was no room for the descriptors;
   * ENOMEM; ENOTSOCK. After an error nothing is kept.
   */
  [[nodiscard]] Result<Message *> next() noexcept;

  /** Whether the next message may have been read already: poll(2) does not report it. */
  [[nodiscard]] bool has_more() const noexcept { return have_ > used_ && !is_incomplete_; }
  /** The sender of the last datagram; size 0: it has no address for an answer. */
  [[nodiscard]] Sender const &sender() const noexcept { return sender_; }
  [[nodiscard]] bool is_datagram() const noexcept { return kind_ == SOCK_DGRAM; }

  /** Drops what was read of a message, and its descriptors. */
  void clear() noexcept;

 private:
  enum class Step : uint8_t { incomplete, fragment, message, end };
  [[nodiscard]] Result<Step> read_stream() noexcept;
  [[nodiscard]] Result<Step> read_packet() noexcept;
  [[nodiscard]] Result<Step> cut_off(size_t &wanted) noexcept;
  [[nodiscard]] Result<Step> join(FrameHeader const &frame, std::string_view payload, bool continues) noexcept;
  [[nodiscard]] Result<size_t> receive_to(size_t size) noexcept;
  [[nodiscard]] bool are_announced() const noexcept;

  int socket_;
  int kind_ = 0; /**< SO_TYPE; 0: not known yet */
  Protocol const *protocol_;
  uint32_t packet_size_, fragments_ = 0; /**< fragments_: more_follows if both sides use fragments */
  bool is_incomplete_ = false;           /**< the buffer has only a part of a frame */
  bool joining_ = false;                 /**< message_ lacks fragments */
  List<char> buffer_, joined_;           /**< joined_: the payloads of the fragments */
  size_t have_ = 0, used_ = 0;           /**< the bytes in the buffer, and how many of them were cut off */
  Descriptors came_;                     /**< those of frames in the buffer */
  Message message_;
  Sender sender_ = {};
};

/** Writes one message at a time as frames, and sends them without waiting. The descriptors go with the first frame. */
class FrameWriter {
 public:
  /** A message is one frame of at most `packet_size` bytes. */
  explicit FrameWriter(uint32_t packet_size) noexcept : packet_size_(packet_size) {}
  FrameWriter(FrameWriter const &) = delete;
  FrameWriter &operator=(FrameWriter const &) = delete;
  ~FrameWriter() { clear(); }
  /** From now on a message may have several frames, of at most `packet_size` bytes each. */
  void allow_fragments(uint32_t packet_size) noexcept {
    packet_size_ = packet_size;
    fragments_ = true;
  }

  /** Drops the previous message, and returns an encoder for the next one, whose descriptors the caller still owns. ENOMEM. */
  [[nodiscard]] Result<xdr::Encoder> begin() noexcept;
  /** Makes frames of what was encoded. EMSGSIZE, ENOMEM: the message is dropped. `fits`: what the encoder returned. */
  [[nodiscard]] Done finish(uint32_t type, bool fits) noexcept;
  /** The two in one. */
  template <class T>
  [[nodiscard]] Done put(T const &value) noexcept {
    auto encoder = begin();
    return encoder ? finish(static_cast<uint32_t>(T::type), (*encoder)(value)) : fail(encoder);
  }
  /** The same for a message that is encoded already. */
  [[nodiscard]] Done put(uint32_t type, std::string_view payload, std::span<int const> descriptors) noexcept;

  /** The frames of the message, as they go over the socket. */
  [[nodiscard]] std::string_view bytes() const noexcept { return {bytes_.begin(), bytes_.size()}; }
  /** Sends as much as the socket has room for. EAGAIN: a part is left. `to`: as for send_once(). */
  [[nodiscard]] Done send(int socket, SockAddr const *to = nullptr) noexcept;
  /** Replaces the unsent descriptors by copies, so that their owner may close them. EMFILE: the message is dropped. */
  [[nodiscard]] Done copy_descriptors() noexcept;
  /** Whether a part of the message was sent. */
  [[nodiscard]] bool has_begun() const noexcept { return sent_ > 0; }
  void clear() noexcept;

 private:
  uint32_t packet_size_;
  bool fragments_ = false, owns_descriptors_ = false;
  List<char> bytes_;
  List<int> descriptors_;
  size_t sent_ = 0;
};

} // namespace pm::message
