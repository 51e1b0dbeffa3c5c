/** Descriptors that came with a message. */
#ifndef PM_MESSAGE_DESCRIPTORS_H
#define PM_MESSAGE_DESCRIPTORS_H

#include <pm/base/fd.h>
#include <span>

namespace pm::message {

/** Most descriptors in one message: the kernel's SCM_MAX_FD, unix(7). */
inline constexpr size_t descriptors_max = 253;

/** Owns what was received until it is taken: no way out of a decision leaks a descriptor. */
class Descriptors {
 public:
  Descriptors() noexcept = default;
  Descriptors(Descriptors const &) = delete;
  Descriptors &operator=(Descriptors const &) = delete;
  ~Descriptors() { clear(); }

  [[nodiscard]] size_t size() const noexcept { return count_; }
  /** Gives the i-th to the caller; invalid when there is none, or it was taken. */
  [[nodiscard]] Fd take(size_t i) noexcept;
  /** Closes what was not taken. */
  void clear() noexcept;
  /** Owns one more; false, and it is closed, when there is no room. */
  bool add(int fd) noexcept;
  /** Hands the first `count`, which must not be more than there are, to another; what finds no room there is closed. */
  void give(size_t count, Descriptors &to) noexcept;
  /** All of them, -1 where one was taken: whoever takes one from here leaves -1 in its place. */
  [[nodiscard]] std::span<int> all() noexcept { return {fds_, count_}; }

 private:
  size_t count_ = 0;
  int fds_[descriptors_max];
};

} // namespace pm::message

#endif
