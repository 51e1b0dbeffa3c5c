/** A file descriptor with one owner. */
#ifndef PM_BASE_FD_H
#define PM_BASE_FD_H

#include <errno.h>
#include <pm/base/sys.h>

namespace pm {

/**
 * Owns a descriptor: moved, never copied, closed once. 0 is a descriptor like any other and -1 is none, so an Fd
 * cannot be tested with `!` nor become a bool or an int by accident. Borrow it with get().
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

  /** Gives the descriptor up without closing it. */
  [[nodiscard]] constexpr int release() noexcept {
    int const fd = fd_;
    fd_ = -1;
    return fd;
  }

  /** Closes what is owned and owns `fd` instead. errno stays as it was. */
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

/** Lends a descriptor to an Fd, such as a message's field, for the length of a scope: it is not closed there. */
class Lent {
 public:
  Lent(Fd &to, int fd) noexcept : to_(&to) { to.reset(fd); }
  Lent(Lent const &) = delete;
  Lent &operator=(Lent const &) = delete;
  ~Lent() { (void)to_->release(); }

 private:
  Fd *to_;
};

} // namespace pm

#endif
