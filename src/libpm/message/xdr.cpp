#include "libpm/message/xdr.h"

#include <endian.h>
#include <string.h>

namespace pm::xdr {

namespace {

constexpr size_t unit = 4; // RFC 4506, section 3: every item is a multiple of four bytes

constexpr size_t padding(size_t size) noexcept {
  return (unit - size % unit) % unit;
}

} // namespace

bool Encoder::put(uint32_t n) noexcept {
  char bytes[unit];
  n = htobe32(n);
  memcpy(bytes, &n, sizeof bytes);
  return append(*out_, {bytes, sizeof bytes});
}

bool Encoder::put_bytes(std::string_view bytes) noexcept {
  constexpr char zeros[unit] = {};
  return put(static_cast<uint32_t>(bytes.size())) && append(*out_, bytes) && append(*out_, {zeros, padding(bytes.size())});
}

bool Encoder::put(Fd const &fd) noexcept {
  if (!fd.valid()) return put(false);
  return descriptors_ && descriptors_->append(fd.get()) && put(true);
}

bool Decoder::get(Fd &fd) noexcept {
  bool there;
  int number = -1;
  if (!get(there) || (there && descriptors_.empty())) return false;
  if (there) {
    number = std::exchange(descriptors_.front(), -1);
    descriptors_ = descriptors_.subspan(1);
  }
  fd.reset(number);
  return true;
}

bool Decoder::get(uint32_t &n) noexcept {
  if (left_.size() < unit) return false;
  memcpy(&n, left_.data(), unit);
  n = be32toh(n);
  left_.remove_prefix(unit);
  return true;
}

bool Decoder::get(int32_t &n) noexcept {
  uint32_t bits;
  if (!get(bits)) return false;
  n = static_cast<int32_t>(bits);
  return true;
}

bool Decoder::get(uint64_t &n) noexcept {
  uint32_t high, low;
  if (!get(high) || !get(low)) return false;
  n = uint64_t{high} << 32 | low;
  return true;
}

bool Decoder::get(bool &b) noexcept {
  uint32_t n;
  if (!get(n) || n > 1) return false;
  b = n != 0;
  return true;
}

bool Decoder::get_bytes(std::string_view &bytes, uint32_t most) noexcept {
  uint32_t size;
  // Separate comparisons, so that no sum can overflow.
  if (!get(size) || size > most || size > left_.size() || padding(size) > left_.size() - size) return false;
  bytes = std::string_view(left_.data(), size);
  for (size_t i = 0; i < padding(size); ++i)
    if (padding_ == Padding::zeros && left_[size + i] != 0) return false;
  left_.remove_prefix(size + padding(size));
  return true;
}

} // namespace pm::xdr
