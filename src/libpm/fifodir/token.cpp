#include "libpm/fifodir/token.h"

#include <dirent.h>
#include <fcntl.h>

namespace pm::fifodir {

bool may_be_fifo(unsigned char type) noexcept {
  return type == DT_FIFO || type == DT_UNKNOWN;
}

Result<Fd> make_token(int dir, char const *path, mode_t mode) noexcept {
  constexpr char const *doing = "make a FIFO";
  if (sys::mkfifoat(dir, path, mode) < 0) return failed(doing);
  Fd token(sys::openat(dir, path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  // The umask may have taken bits of the mode.
  if (!token.valid() || sys::fchmod(token.get(), mode) < 0 || sys::fcntl(token.get(), F_SETPIPE_SZ, one_page) < 0) {
    auto const failure = failed(doing);
    sys::unlinkat(dir, path, 0);
    return failure;
  }
  return token;
}

Result<Fd> open_token(int dir, char const *path) noexcept {
  constexpr char const *doing = "open a FIFO";
  Fd token(sys::openat(dir, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  struct stat st;
  if (!token.valid() || sys::fstat(token.get(), &st) < 0) return failed(doing);
  if (!S_ISFIFO(st.st_mode)) return failed(doing, EINVAL);
  return token;
}

Result<Life> life(int dir, char const *path) noexcept {
  int const fd = sys::openat(dir, path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0) {
    sys::close(fd);
    return Life::alive;
  }
  if (errno == ENXIO) return Life::dead;
  if (errno == ENOENT) return Life::gone;
  return failed("test whether a token is held");
}

Result<bool> same_token(int dir, char const *a, char const *b) noexcept {
  struct stat of_a, of_b;
  if (sys::fstatat(dir, a, &of_a, AT_SYMLINK_NOFOLLOW) < 0 || sys::fstatat(dir, b, &of_b, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return false;
    return failed("look at a token");
  }
  return of_a.st_ino == of_b.st_ino && of_a.st_dev == of_b.st_dev;
}

} // namespace pm::fifodir
