/**
 * The types that the public headers share: owned descriptors, arrays and time limits. The library uses the same types. They need the
 * headers of the C++20 standard library and POSIX. Nothing here throws.
 */
#ifndef PM_TYPES_H
#define PM_TYPES_H

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <algorithm>
#include <concepts>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

namespace pm {

namespace sys {
int close(int fd) noexcept;
} // namespace sys

/**
 * Owns a descriptor, and closes it once. It can be moved, but not copied. Descriptor 0 is valid, and -1 means no descriptor. So `!` and
 * conversions to bool or int do not compile. get() borrows the descriptor.
 */
class Fd {
 public:
  constexpr Fd() noexcept = default;
  constexpr explicit Fd(int fd) noexcept : fd_(fd) {}
  constexpr Fd(Fd &&other) noexcept : fd_(other.release()) {}
  Fd &operator=(Fd &&other) noexcept {
    reset(other.release());
    return *this;
  }
  Fd(Fd const &) = delete;
  Fd &operator=(Fd const &) = delete;
  bool operator!() const = delete;
  ~Fd() { reset(); }

  [[nodiscard]] constexpr int get() const noexcept { return fd_; }
  [[nodiscard]] constexpr bool valid() const noexcept { return fd_ >= 0; }

  /** Returns the descriptor without closing it; the caller owns it then. */
  [[nodiscard]] constexpr int release() noexcept {
    int const fd = fd_;
    fd_ = -1;
    return fd;
  }

  /** Closes the owned descriptor and takes ownership of `fd`. Does not change errno. */
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) {
      int const saved = errno;
      sys::close(fd_);
      errno = saved;
    }
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

/** Lends a descriptor to an Fd, such as a field of a message, until the end of a scope. The descriptor stays open. */
class Lent {
 public:
  Lent(Fd &to, int fd) noexcept : to_(&to) { to.reset(fd); }
  Lent(Lent const &) = delete;
  Lent &operator=(Lent const &) = delete;
  ~Lent() { (void)to_->release(); }

 private:
  Fd *to_;
};

/** A growing array of plain values. append(), resize() and reserve() return false when there is no memory. */
template <class T>
class List {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  List() noexcept = default;
  List(List &&other) noexcept
      : values_(std::exchange(other.values_, nullptr)),
        size_(std::exchange(other.size_, 0)),
        room_(std::exchange(other.room_, 0)) {}
  List &operator=(List &&other) noexcept {
    if (this == &other) return *this;
    ::free(static_cast<void *>(values_));
    values_ = std::exchange(other.values_, nullptr);
    size_ = std::exchange(other.size_, 0);
    room_ = std::exchange(other.room_, 0);
    return *this;
  }
  List(List const &) = delete;
  List &operator=(List const &) = delete;
  ~List() { ::free(static_cast<void *>(values_)); }

  [[nodiscard]] bool append(T const &value) noexcept { return append(std::span<T const>(&value, 1)); }
  /** `values` must not be part of this list. */
  [[nodiscard]] bool append(std::span<T const> values) noexcept {
    if (!reserve(size_ + values.size())) return false;
    if (!values.empty()) memcpy(static_cast<void *>(values_ + size_), values.data(), values.size_bytes());
    size_ += values.size();
    return true;
  }
  [[nodiscard]] bool reserve(size_t count) noexcept {
    if (count <= room_) return true;
    size_t const more = count + count / 2 + 16;
    if (more > SIZE_MAX / 2 / sizeof(T)) return false;
    auto *const grown = static_cast<T *>(::realloc(static_cast<void *>(values_), more * sizeof(T)));
    if (!grown) return false;
    values_ = grown;
    room_ = more;
    return true;
  }
  /** Changes the number of values to `count`; new values are undefined. */
  [[nodiscard]] bool resize(size_t count) noexcept {
    if (!reserve(count)) return false;
    size_ = count;
    return true;
  }
  /** Drops the values, but keeps the memory. */
  void clear() noexcept { size_ = 0; }
  /** Keeps the first `count` values; `count` must not be larger than size(). */
  void truncate(size_t count) noexcept { size_ = count; }
  void erase_front(size_t count) noexcept {
    std::copy(begin() + count, end(), begin());
    truncate(size() - count);
  }

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] T *begin() noexcept { return values_; }
  [[nodiscard]] T *end() noexcept { return values_ + size_; }
  [[nodiscard]] T const *begin() const noexcept { return values_; }
  [[nodiscard]] T const *end() const noexcept { return values_ + size_; }
  [[nodiscard]] T &operator[](size_t i) noexcept { return values_[i]; }
  [[nodiscard]] T const &operator[](size_t i) const noexcept { return values_[i]; }

 private:
  T *values_ = nullptr;
  size_t size_ = 0, room_ = 0;
};

[[nodiscard]] inline bool append(List<char> &bytes, std::string_view s) noexcept {
  return bytes.append(std::span<char const>(s.data(), s.size()));
}
/** The bytes, until the list changes. */
[[nodiscard]] inline std::string_view view(List<char> const &bytes) noexcept {
  return {bytes.begin(), bytes.size()};
}

/**
 * A std::chrono::duration of whole numbers, such as 5s. <chrono> is not included here: g++ 12 needs 0.13 s more for each file with it,
 * of 0.8 s for all headers of the standard library.
 */
template <class T>
concept Duration = requires(T const &duration) {
  { duration.count() } -> std::convertible_to<int64_t>;
  requires std::integral<typename T::rep>;
  T::period::num;
  T::period::den;
};

/** The time when an operation gives up, on CLOCK_MONOTONIC. By default there is no deadline. */
class Deadline {
 public:
  constexpr Deadline() noexcept = default;
  /** That long from now, rounded up to a millisecond; passed() if that is not in the future. */
  [[nodiscard]] static Deadline in(Duration auto timeout) noexcept {
    using Period = typename decltype(timeout)::period;
    return in_ms(timeout.count(), int64_t{Period::num} * 1000, int64_t{Period::den});
  }
  /** The same, with a number of units of `dividend`/`divisor` milliseconds. */
  [[nodiscard]] static Deadline in_ms(int64_t count, int64_t dividend = 1, int64_t divisor = 1) noexcept;
  /** A time in the past: the operation is tried once and does not wait. */
  [[nodiscard]] static constexpr Deadline passed() noexcept {
    Deadline d;
    d.at_ = long_ago;
    return d;
  }
  /** The time left, as poll(2) takes it: in milliseconds, rounded up; 0 after the deadline, -1 without one. */
  [[nodiscard]] int remaining() const noexcept;
  /** Whether this is the value of passed(). */
  [[nodiscard]] constexpr bool is_passed() const noexcept { return at_ == long_ago; }

 private:
  static constexpr uint64_t long_ago = 1;
  uint64_t at_ = 0; /**< ns; 0 is never */
};

/**
 * How long an operation may take: until a deadline, or until a stop descriptor becomes readable. By default there is no limit.
 */
struct Limit {
  Deadline deadline; /**< when it passes, the operation fails with Status::timeout */
  int stop = -1;     /**< when it is readable, the operation fails with Status::cancelled; -1: none */

  constexpr Limit(Deadline until = {}, int stop_descriptor = -1) noexcept : deadline(until), stop(stop_descriptor) {}
  /** That long from now. Zero: the operation does not wait, as with now(). */
  [[nodiscard]] static Limit in(Duration auto timeout, int stop_descriptor = -1) noexcept {
    return {Deadline::in(timeout), stop_descriptor};
  }
  /** No deadline, only a stop descriptor. */
  [[nodiscard]] static constexpr Limit until(int stop_descriptor) noexcept { return {{}, stop_descriptor}; }
  /** The operation does not wait. If it had to, an operation of a Connection is pending, and any other fails with timeout. */
  [[nodiscard]] static constexpr Limit now() noexcept { return Deadline::passed(); }
  [[nodiscard]] constexpr bool is_now() const noexcept { return deadline.is_passed(); }
};

} // namespace pm

#endif
