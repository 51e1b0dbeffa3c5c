#include "libpm/os/pidfd_id.h"

#include <unistd.h>
#include "libpm/os/process.h"

namespace pm {

namespace {
/** PIDFS_MAGIC of linux/magic.h, which older headers lack. */
constexpr uint32_t pidfs_magic = 0x50494446;
/** The longest chain of ancestors that is followed. */
constexpr int ancestors_max = 64;
} // namespace

std::optional<uint64_t> pidfd_id(pid_t pid) noexcept {
  // The kernel's inode numbers are unsigned long.
  if (sizeof(long) < sizeof(uint64_t)) return std::nullopt;
  Fd const fd(sys::pidfd_open(pid, 0));
  struct statfs fs;
  struct stat st;
  if (!fd.valid() || sys::fstatfs(fd.get(), &fs) < 0 || static_cast<uint32_t>(fs.f_type) != pidfs_magic) return std::nullopt;
  if (sys::fstat(fd.get(), &st) < 0) return std::nullopt;
  return st.st_ino;
}

bool is_ancestor(uint64_t id) noexcept {
  pid_t pid = ::getppid();
  for (int i = 0; i < ancestors_max && pid > 0; ++i) {
    if (pidfd_id(pid) == id) return true;
    pid = parent_of(pid).value_or(0);
  }
  return false;
}

} // namespace pm
