#include "libpm/fifodir/inherited.h"

#include <fcntl.h>

namespace pm::fifodir {

Result<Text<512>> leave_inherited(Fd token, char const *outer) noexcept {
  constexpr char const *doing = "pass a token on";
  struct stat st;
  if (sys::fstat(token.get(), &st) < 0 || sys::fcntl(token.get(), F_SETFD) < 0) return failed(doing);
  Text<512> value;
  if (outer && *outer) value << outer << ' ';
  value << token.get() << ':' << st.st_dev << ':' << st.st_ino;
  if (value.overflowed()) return failed(doing, ENAMETOOLONG);
  (void)token.release();
  return value;
}

void keep_from_children(char const *value) noexcept {
  for (Cut rest = {{}, value ? value : "", value != nullptr}; rest.found;) {
    rest = cut(rest.tail, ' ');
    auto const [first, identity, _] = cut(rest.head, ':');
    auto const [device, inode, __] = cut(identity, ':');
    auto const fd = number<int>(first);
    auto const dev = number<uint64_t>(device), ino = number<uint64_t>(inode);
    struct stat st;
    if (!fd || !dev || !ino || sys::fstat(*fd, &st) < 0 || st.st_dev != *dev || st.st_ino != *ino) continue;
    if (int const flags = sys::fcntl(*fd, F_GETFD); flags >= 0) sys::fcntl(*fd, F_SETFD, flags | FD_CLOEXEC);
  }
}

} // namespace pm::fifodir
