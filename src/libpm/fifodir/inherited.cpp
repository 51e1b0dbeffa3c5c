#include <pm/fifodir/inherited.h>

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

} // namespace pm::fifodir
