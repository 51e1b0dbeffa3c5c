#include "libpm/os/file_identity.h"

// musl has struct statx from 1.2.5 on. The kernel's header has it everywhere, but not together with <sys/stat.h>.
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "libpm/os/through.h"

namespace pm {

namespace {
/** S_IFMT, for which glibc needs <sys/stat.h>. */
constexpr uint32_t type_bits = 0170000;
} // namespace

Result<FileIdentity> identify_file(int fd) noexcept {
  struct statx found = {};
  long const done = sys::through(
      "statx", [&] { return ::syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO, &found); });
  if (done < 0) return failed("read the type of");
  return FileIdentity{found.stx_mode & type_bits, found.stx_dev_major, found.stx_dev_minor, found.stx_ino};
}

} // namespace pm
