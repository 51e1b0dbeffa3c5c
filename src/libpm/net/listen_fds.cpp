#include "libpm/net/listen_fds.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/os/sys.h"

namespace pm {

namespace {
constexpr char const *doing = "take the sockets of LISTEN_FDS";

std::string_view variable(char const *name) noexcept {
  char const *const value = ::getenv(name);
  return value ? value : "";
}
} // namespace

bool is_listen_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), [](char c) noexcept { return c >= 0x20 && c < 0x7f && c != ':'; });
}

Result<ListenFds> ListenFds::own() noexcept {
  ListenFds given;
  auto const fds = variable("LISTEN_FDS"), process = variable("LISTEN_PID");
  if (fds.empty() || process.empty()) return failed(doing, ENOENT);
  auto const pid = number<uint32_t>(process), count = number<uint32_t>(fds);
  if (!pid || !count) return failed(doing, EINVAL);
  if (*pid != static_cast<uint32_t>(::getpid()) || *count == 0) return failed(doing, ENOENT);
  if (*count > listen_fds_max) return failed(doing, E2BIG);
  bool const named = ::getenv("LISTEN_FDNAMES") != nullptr;
  Cut rest = {{}, variable("LISTEN_FDNAMES"), named};
  for (; given.size_ < *count; ++given.size_) {
    if (named) {
      if (!rest.found) return failed(doing, EINVAL);
      rest = cut(rest.tail, ':');
      if (!is_listen_name(rest.head)) return failed(doing, EINVAL);
    }
    given.names_[given.size_] = named ? rest.head : "unknown";
    // A descriptor that came through exec is not close-on-exec. One that is, was opened by this process: the given one was
    // closed, and its number used again.
    int const flags = sys::fcntl(given.fd(given.size_), F_GETFD);
    if (flags < 0) return failed(doing);
    if (flags & FD_CLOEXEC) return failed(doing, EBADF);
  }
  if (rest.found) return failed(doing, EINVAL);
  return given;
}

Done place_fds(size_t count, int first, Callback<Fd &(size_t i)> fd_of) noexcept {
  constexpr char const *placing = "get descriptors for";
  int const end = first + static_cast<int>(count);
  // Move them above the target numbers first, so that none overwrites another.
  for (size_t i = 0; i < count; ++i)
    if (Fd &fd = fd_of(i); fd.get() < end) {
      int const moved = sys::fcntl(fd.get(), F_DUPFD_CLOEXEC, end);
      if (moved < 0) return failed(placing);
      fd.reset(moved);
    }
  for (size_t i = 0; i < count; ++i)
    if (sys::dup2(fd_of(i).get(), first + static_cast<int>(i)) < 0) return failed(placing);
  return {};
}

Text<272> shell_name(std::string_view name) noexcept {
  Text<272> shell("PM_FD_");
  for (char const c : name) shell << (::isalnum(static_cast<unsigned char>(c)) ? c : '_');
  return shell;
}

void give_listen_fds(Environment &environment, std::span<std::string_view const> names) noexcept {
  Text<listen_fds_max * 256> all;
  for (size_t i = 0; i < names.size(); ++i) {
    all << (i ? ":" : "") << names[i];
    environment.set(shell_name(names[i]).c_str(), (Text<16>() << listen_fds_start + static_cast<int>(i)).view());
  }
  environment.set("LISTEN_FDS", (Text<16>() << names.size()).view());
  environment.set("LISTEN_PID", (Text<16>() << ::getpid()).view());
  environment.set("LISTEN_FDNAMES", all.view());
}

void forget_listen_fds(Environment &environment) noexcept {
  for (char const *const name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) environment.unset(name);
}

} // namespace pm
