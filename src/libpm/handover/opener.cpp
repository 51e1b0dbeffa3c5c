#include "libpm/handover/opener.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include "libpm/os/blocking.h"
#include "libpm/os/stream.h"
#include "libpm/os/sys.h"
#include "libpm/util/result.h"
#include "libpm/util/text.h"

namespace pm::handover {

bool OpenerRights::allow(std::string_view name, OpenMode mode) const noexcept {
  switch (mode) {
    case OpenMode::read: return matches(read, name);
    case OpenMode::write: return matches(write, name);
    // The right to write anywhere in a file includes its end.
    case OpenMode::append: return matches(append, name) || matches(write, name);
    case OpenMode::both: return matches(read, name) && matches(write, name);
  }
  return false;
}

bool is_file_name(std::string_view name) noexcept {
  if (name.size() > file_name_max || has_control(name) || name.find('\0') != std::string_view::npos) return false;
  for (Cut rest = {{}, name, true}; rest.found;) {
    rest = cut(rest.tail, '/');
    if (rest.head.empty() || rest.head == "." || rest.head == "..") return false;
  }
  return true;
}

Result<OpenAnswer> open_beneath(int directory, std::string_view name, OpenMode mode) noexcept {
  constexpr char const *doing = "open";
  constexpr uint64_t flags[] = {O_RDONLY, O_WRONLY, O_WRONLY | O_APPEND, O_RDWR};
  Text<file_name_max + 1> const path(name);
  struct open_how how = {};
  // With O_NONBLOCK, opening a FIFO or a device does not wait. The check below refuses them.
  how.flags = flags[static_cast<size_t>(mode)] | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  Fd file;
  for (int tries = 0; !file.valid(); ++tries) {
    file.reset(sys::openat2(directory, path.c_str(), &how, sizeof how));
    if (file.valid()) break;
    // EAGAIN, openat2(2): another process renamed a directory meanwhile.
    if (errno == EINTR || (errno == EAGAIN && tries < 16)) continue;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV)
      return OpenAnswer(tl::unexpected(OpenRefusal::not_found));
    if (errno == EISDIR || errno == ENXIO) return OpenAnswer(tl::unexpected(OpenRefusal::not_a_file));
    return failed(doing);
  }
  struct stat st;
  if (sys::fstat(file.get(), &st) < 0) return failed(doing);
  if (!S_ISREG(st.st_mode)) return OpenAnswer(tl::unexpected(OpenRefusal::not_a_file));
  if (auto const set = set_blocking(file.get(), true); !set) return failed(doing, set.error().code);
  return OpenAnswer(std::move(file));
}

Result<AppendPipe> AppendPipe::make() noexcept {
  int ends[2];
  if (sys::pipe2(ends, O_CLOEXEC) < 0) return failed("make a pipe for");
  return AppendPipe{Fd(ends[0]), Fd(ends[1])};
}

Done append_all(int pipe, int file) noexcept {
  constexpr char const *doing = "append to";
  for (char bytes[4096];;) {
    ssize_t const n = sys::read(pipe, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed(doing);
    if (n == 0) return {};
    if (auto const written = write_all(file, {bytes, static_cast<size_t>(n)}, Deadline()); !written)
      return failed(doing, written.error().code);
  }
}

} // namespace pm::handover
