#include "libpm/os/directory.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

namespace pm {

Result<Fd> open_directory(int dir, char const *path) noexcept {
  int const fd = sys::openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return failed("open a directory");
  return Fd(fd);
}

Result<Text<PATH_MAX>> absolute_path(std::string_view path) noexcept {
  constexpr char const *doing = "find the current directory";
  Text<PATH_MAX> absolute;
  if (!path.starts_with('/')) {
    char here[PATH_MAX];
    if (!::getcwd(here, sizeof here)) return failed(doing);
    absolute << here << '/';
  }
  absolute << path;
  if (absolute.overflowed()) return failed(doing, ENAMETOOLONG);
  return absolute;
}

namespace {
/** An entry as getdents64(2) writes it; the name follows. */
struct Head {
  uint64_t ino;
  int64_t off;
  unsigned short size;
  unsigned char type;
};
constexpr size_t name_offset = 19;
/** The size of the longest entry: a name of NAME_MAX bytes, its NUL, and padding to a multiple of 8. */
constexpr size_t entry_max = 280;
} // namespace

Result<char const *> Entries::next() noexcept {
  for (;;) {
    if (at_ >= end_) {
      if (ended_) return nullptr;
      ssize_t const n = sys::getdents64(fd_, buffer_, at_once_);
      if (n == 0 || (n < 0 && errno == ENOENT)) return nullptr; // ENOENT: it was removed after open, so it was empty
      if (n < 0) return failed("read a directory");
      at_ = 0;
      end_ = static_cast<size_t>(n);
      ended_ = whole_ && end_ + entry_max <= at_once_;
    }
    Head head;
    memcpy(&head, buffer_ + at_, sizeof head);
    char const *const name = buffer_ + at_ + name_offset;
    at_ += head.size;
    type_ = head.type;
    if (std::string_view const text = name; text != "." && text != "..") return name;
  }
}

Done each_entry(int dir, char const *path, VisitEntry visit, bool whole) noexcept {
  auto const opened = open_directory(dir, path);
  if (!opened && opened.error().code == ENOENT) return {};
  if (!opened) return fail(opened);
  Entries entries(opened->get(), whole);
  for (;;) {
    auto const name = entries.next();
    if (!name) return fail(name);
    if (!*name) return {};
    if (auto const visited = visit(opened->get(), *name, entries.type()); !visited) return visited;
  }
}

bool reads_whole(int dir) noexcept {
  struct statfs fs;
  return sys::fstatfs(dir, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

} // namespace pm
