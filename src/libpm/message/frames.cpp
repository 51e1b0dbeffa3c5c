#include "libpm/message/frames.h"

#include <endian.h>
#include <string.h>
#include <algorithm>
#include "libpm/os/sys.h"

namespace pm::message {

namespace {
constexpr char const *receiving = "receive a message";
/** How many bytes are read ahead at a time. */
constexpr size_t ahead_room = 4096;
} // namespace

void write_header(char *to, FrameHeader const &header) noexcept {
  uint32_t const words[] = {htobe32(header.type), htobe32(header.size), htobe32(header.descriptors)};
  static_assert(sizeof words == header_size);
  memcpy(to, words, sizeof words);
}

void FrameReader::clear() noexcept {
  came_.clear();
  message_.descriptors.clear();
  have_ = used_ = 0;
}

Result<Message *> FrameReader::next() noexcept {
  message_.descriptors.clear();
  if (kind_ == 0) {
    socklen_t size = sizeof kind_;
    if (sys::getsockopt(socket_, SOL_SOCKET, SO_TYPE, &kind_, &size) < 0) return failed(receiving);
  }
  auto const frame = kind_ == SOCK_STREAM ? read_frame() : read_packet();
  if (!frame && frame.error().code != EAGAIN && frame.error().code != EINTR) clear();
  return frame;
}

/** Returns the first frame in the buffer. Null if it is not complete: then `wanted` is its size, as far as that is known. */
Result<Message *> FrameReader::cut_off(size_t &wanted) noexcept {
  std::string_view const bytes(buffer_.begin() + used_, have_ - used_);
  FrameHeader header;
  wanted = header_size;
  if (bytes.size() < header_size || !xdr::Decoder(bytes)(header)) return nullptr;
  is_fragment_ = (header.descriptors & fragments_) != 0;
  header.descriptors &= ~fragments_;
  if (header.size > payload_most_ || header.descriptors > descriptors_max) return failed(receiving, EMSGSIZE);
  wanted += header.size;
  if (bytes.size() < wanted) return nullptr;
  used_ += wanted;
  // When all bytes are used, no descriptor can belong to a later frame.
  if (came_.size() < header.descriptors || (used_ == have_ && came_.size() > header.descriptors))
    return failed(receiving, EPROTO);
  came_.give(header.descriptors, message_.descriptors);
  message_.type = header.type;
  message_.payload = bytes.substr(header_size, header.size);
  return &message_;
}

/** Receives once. Afterwards the buffer has at most `size` bytes. */
Result<size_t> FrameReader::receive_to(size_t size) noexcept {
  if (!buffer_.resize(size)) return failed(receiving, ENOMEM);
  auto const got = receive_once(socket_, {buffer_.begin() + have_, size - have_}, came_, sender_);
  if (got) have_ += *got;
  return got;
}

Result<Message *> FrameReader::read_frame() noexcept {
  for (;;) {
    size_t wanted;
    auto const frame = cut_off(wanted);
    if (!frame || *frame) return frame;
    if (used_) memmove(buffer_.begin(), buffer_.begin() + used_, have_ - used_);
    have_ -= used_;
    used_ = 0;
    auto const got = receive_to(ahead_ ? std::max(wanted, ahead_room) : wanted);
    if (!got) return fail(got);
    if (*got) continue;
    if (have_ == 0 && came_.size() == 0) return nullptr;
    cut_short_ = true;
    return failed(receiving, EPROTO);
  }
}

/** A packet contains exactly one frame. */
Result<Message *> FrameReader::read_packet() noexcept {
  have_ = used_ = 0;
  auto const got = receive_to(header_size + payload_most_);
  if (!got) return fail(got);
  // An empty packet ends a connection, unless it has descriptors. An empty datagram is just a datagram.
  if (*got == 0 && kind_ == SOCK_SEQPACKET && came_.size() == 0) return nullptr;
  size_t wanted;
  auto const frame = cut_off(wanted);
  if (!frame || (*frame && used_ == have_)) return frame;
  return failed(receiving, EPROTO);
}

} // namespace pm::message
