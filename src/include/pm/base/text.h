/** Text in fixed buffers, and numbers as text. */
#ifndef PM_BASE_TEXT_H
#define PM_BASE_TEXT_H

#include <stdint.h>
#include <string.h>
#include <concepts>
#include <limits>
#include <optional>
#include <string_view>

namespace pm {

namespace text {
/** What every Text does, whatever its size: one copy of the code. */
struct State {
  size_t size = 0;
  bool overflowed = false;
};
void append(State &state, char *bytes, size_t room, std::string_view s) noexcept;
void append(State &state, char *bytes, size_t room, unsigned long long n, bool negative) noexcept;
} // namespace text

/** Text of at most N-1 bytes, always ending in a NUL. What does not fit is dropped, and overflowed() says so. */
template <size_t N>
class Text {
 public:
  Text() noexcept { bytes_[0] = 0; }
  explicit Text(std::string_view s) noexcept { *this << s; }

  Text &operator<<(std::string_view s) noexcept {
    text::append(state_, bytes_, N, s);
    return *this;
  }
  /** In line, so that a literal's length is a number and no call. */
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
  text::State state_;
  char bytes_[N];
};

namespace text {
/** The whole of `s` as a decimal number of at most `most`: digits only. */
[[nodiscard]] std::optional<uint64_t> number(std::string_view s, uint64_t most) noexcept;
} // namespace text

/** The whole of `s` as a decimal number that fits and is not negative; nothing else is one: no sign, no blank. */
template <std::integral Number>
[[nodiscard]] std::optional<Number> number(std::string_view s) noexcept {
  auto const n = text::number(s, static_cast<uint64_t>(std::numeric_limits<Number>::max()));
  if (!n) return std::nullopt;
  return static_cast<Number>(*n);
}

/** Whether `s` has a byte that would break a line of text or a terminal: below 0x20, or 0x7f. */
[[nodiscard]] bool has_control(std::string_view s) noexcept;

/** What things are called: 1 to `most` bytes of A-Z a-z 0-9 . _ - @ +, not starting with a dot. */
[[nodiscard]] bool is_word(std::string_view s, size_t most) noexcept;

/** Whether one of the blank-separated patterns, fnmatch(3), is for the whole of `word` (at most 255 bytes). */
[[nodiscard]] bool matches(std::string_view patterns, std::string_view word) noexcept;

/** A piece of a text cut at its first separator, and what is left. */
struct Cut {
  std::string_view head, tail;
  bool found; /**< whether the separator was there; if not, head is everything */
};
[[nodiscard]] Cut cut(std::string_view s, char separator) noexcept;

} // namespace pm

#endif
