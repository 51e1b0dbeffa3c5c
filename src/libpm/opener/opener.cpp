#include <pm/opener/opener.h>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>

namespace pm::opener {

std::string_view describe(Refusal refusal) noexcept {
  constexpr std::string_view words[] = {"no such name can be", "denied by the rules", "the password is wrong", "no such file",
                                        "it is no regular file"};
  return words[static_cast<size_t>(refusal)];
}

bool Rights::allow(std::string_view name, Mode mode) const noexcept {
  switch (mode) {
    case Mode::read: return matches(read, name);
    case Mode::write: return matches(write, name);
    // Who may write everywhere may write at the end.
    case Mode::append: return matches(append, name) || matches(write, name);
    case Mode::both: return matches(read, name) && matches(write, name);
  }
  return false;
}

bool is_name(std::string_view name) noexcept {
  if (name.size() > name_max || has_control(name) || name.find('\0') != std::string_view::npos) return false;
  for (Cut rest = {{}, name, true}; rest.found;) {
    rest = cut(rest.tail, '/');
    if (rest.head.empty() || rest.head == "." || rest.head == "..") return false;
  }
  return true;
}

Result<Answer> open_beneath(int directory, std::string_view name, Mode mode) noexcept {
  constexpr char const *doing = "open";
  constexpr uint64_t flags[] = {O_RDONLY, O_WRONLY, O_WRONLY | O_APPEND, O_RDWR};
  Text<name_max + 1> const path(name);
  struct open_how how = {};
  // O_NONBLOCK: a FIFO, or a device, must not keep us; it is no regular file, and refused.
  how.flags = flags[static_cast<size_t>(mode)] | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  Fd file;
  for (int tries = 0; !file.valid(); ++tries) {
    file.reset(sys::openat2(directory, path.c_str(), &how, sizeof how));
    if (file.valid()) break;
    // Somebody has renamed a directory in the meantime: openat2(2), EAGAIN.
    if (errno == EINTR || (errno == EAGAIN && tries < 16)) continue;
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == EXDEV)
      return Answer(tl::unexpected(Refusal::not_found));
    if (errno == EISDIR || errno == ENXIO) return Answer(tl::unexpected(Refusal::not_a_file));
    return failed(doing);
  }
  struct stat st;
  if (sys::fstat(file.get(), &st) < 0) return failed(doing);
  if (!S_ISREG(st.st_mode)) return Answer(tl::unexpected(Refusal::not_a_file));
  int const now = sys::fcntl(file.get(), F_GETFL);
  if (now < 0 || sys::fcntl(file.get(), F_SETFL, now & ~O_NONBLOCK) < 0) return failed(doing);
  return Answer(std::move(file));
}

} // namespace pm::opener
