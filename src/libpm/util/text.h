/** Text in fixed buffers, and conversion between numbers and text. */
#pragma once

#include <stdint.h>
#include <string.h>
#include <concepts>
#include <limits>
#include <optional>
#include <string_view>

namespace pm {

namespace text {
/** The part of Text that does not depend on its size, so that all sizes share one copy of the code. */
struct FillState {
  size_t size = 0;
  bool overflowed = false;
};
void append(FillState &state, char *bytes, size_t room, std::string_view s) noexcept;
void append(FillState &state, char *bytes, size_t room, unsigned long long n, bool negative) noexcept;
} // namespace text

/** Text of at most N-1 bytes, always followed by a NUL. The excess is dropped, and then overflowed() is true. */
template <size_t N>
class Text {
 public:
  Text() noexcept { bytes_[0] = 0; }
  explicit Text(std::string_view s) noexcept { *this << s; }

  Text &operator<<(std::string_view s) noexcept {
    text::append(state_, bytes_, N, s);
    return *this;
  }
  /** Inline, so that the compiler computes the length of a literal. */
  [[gnu::always_inline]] Text &operator<<(char const *s) noexcept { return *this << std::string_view(s, __builtin_strlen(s)); }
  Text &operator<<(char c) noexcept { return *this << std::string_view(&c, 1); }
  template <std::integral Number>
  Text &operator<<(Number n) noexcept {
    bool const negative = n < 0;
    auto const magnitude = static_cast<unsigned long long>(n);
    text::append(state_, bytes_, N, negative ? 0 - magnitude : magnitude, negative);
    return *this;
  }

  void clear() noexcept {
    state_ = {};
    bytes_[0] = 0;
  }
  [[nodiscard]] bool overflowed() const noexcept { return state_.overflowed; }
  [[nodiscard]] char const *c_str() const noexcept { return bytes_; }
  [[nodiscard]] std::string_view view() const noexcept { return {bytes_, state_.size}; }
  [[nodiscard]] size_t size() const noexcept { return state_.size; }

 private:
  text::FillState state_;
  char bytes_[N];
};

namespace text {
/** Reads `s` as a decimal number of at most `most`. It must consist of digits only. */
[[nodiscard]] std::optional<uint64_t> number(std::string_view s, uint64_t most) noexcept;
} // namespace text

/** Reads `s` as a decimal number. Nothing if it does not fit, or has another character than digits, such as a sign or a blank. */
template <std::integral Number>
[[nodiscard]] std::optional<Number> number(std::string_view s) noexcept {
  auto const n = text::number(s, static_cast<uint64_t>(std::numeric_limits<Number>::max()));
  if (!n) return std::nullopt;
  return static_cast<Number>(*n);
}

/** Whether `s` has a byte below 0x20, or 0x7f. */
[[nodiscard]] bool has_control(std::string_view s) noexcept;

/** Whether `s` is a valid name: 1 to `most` bytes of A-Z a-z 0-9 . _ - @ +, not starting with a dot or a dash. */
[[nodiscard]] bool is_word(std::string_view s, size_t most) noexcept;

/** Whether one of the blank-separated patterns, fnmatch(3), matches the whole of `word` (at most 255 bytes). */
[[nodiscard]] bool matches(std::string_view patterns, std::string_view word) noexcept;

/** A text that was cut at its first separator: the piece before it, and the rest. */
struct Cut {
  std::string_view head, tail;
  bool found; /**< whether the text has the separator; if not, head is the whole text */
};
[[nodiscard]] Cut cut(std::string_view s, char separator) noexcept;

/** Appends the last `digits` hexadecimal digits of a number, in lower case. */
template <size_t N>
void append_hexadecimal(Text<N> &text, uint64_t number, int digits) noexcept {
  while (digits-- > 0) text << "0123456789abcdef"[number >> 4 * digits & 15];
}

} // namespace pm
