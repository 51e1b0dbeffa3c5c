#include "libpm/net/listen_fds.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>
#include <algorithm>
#include "libpm/os/fd_variables.h"
#include "libpm/os/pidfd_id.h"
#include "libpm/os/sys.h"

namespace pm {

namespace {
constexpr char const *doing = "take the sockets of LISTEN_FDS";

constexpr char const *variables[] = {"LISTEN_FDS", "LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDNAMES"};

std::string_view variable(char const *name) noexcept {
  char const *const value = ::getenv(name);
  return value ? value : "";
}
} // namespace

bool is_listen_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 255 &&
         std::all_of(name.begin(), name.end(), [](char c) noexcept { return c >= 0x20 && c < 0x7f && c != ':'; });
}

Text<96> ListenFds::other_process() noexcept {
  auto const pid = number<uint32_t>(variable("LISTEN_PID"));
  auto const own = static_cast<uint32_t>(::getpid());
  if (pid && *pid != own) return Text<96>("LISTEN_PID is ") << *pid << ", this process is " << own;
  // Several processes have one pid, one after another; the kernel's number of each is its own. sd_listen_fds(3) ignores a number that it
  // cannot compare.
  auto const id = number<uint64_t>(variable("LISTEN_PIDFDID")), own_id = id ? pidfd_id(::getpid()) : std::nullopt;
  if (!pid || !id || !own_id || *id == *own_id) return {};
  // A supervisor has the sockets, and a script has set LISTEN_PID=$$ for this process: this pid cannot be one that was used again.
  if (is_ancestor(*id)) return {};
  return Text<96>("LISTEN_PIDFDID is ") << *id << ", that of this process is " << *own_id;
}

Result<ListenFds> ListenFds::own(Taken taken) noexcept {
  ListenFds given;
  auto const fds = variable("LISTEN_FDS"), process = variable("LISTEN_PID");
  if (fds.empty() || process.empty()) return failed(doing, ENOENT);
  auto const pid = number<uint32_t>(process), count = number<uint32_t>(fds);
  auto const id = variable("LISTEN_PIDFDID");
  if (!pid || !count || (!id.empty() && !number<uint64_t>(id))) return failed(doing, EINVAL);
  if (*count == 0 || other_process().size()) return failed(doing, ENOENT);
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
    if (taken == Taken::some) continue;
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

void give_listen_fds(Environment &environment, std::span<std::string_view const> names) noexcept {
  forget_wrong_fds(environment, listen_fds_start, static_cast<int>(names.size()));
  Text<listen_fds_max * 256> all;
  for (size_t i = 0; i < names.size(); ++i) {
    all << (i ? ":" : "") << names[i];
    environment.set(fd_variable(names[i]).c_str(), (Text<16>() << listen_fds_start + static_cast<int>(i)).view());
  }
  environment.set("LISTEN_FDS", (Text<16>() << names.size()).view());
  environment.set("LISTEN_PID", (Text<16>() << ::getpid()).view());
  environment.set("LISTEN_FDNAMES", all.view());
  if (auto const id = pidfd_id(::getpid())) environment.set("LISTEN_PIDFDID", (Text<24>() << *id).view());
  else environment.unset("LISTEN_PIDFDID");
}

bool is_listen_variable(std::string_view variable) noexcept {
  std::string_view const name = cut(variable, '=').head;
  return std::find(std::begin(variables), std::end(variables), name) != std::end(variables);
}

void forget_listen_fds(Environment &environment) noexcept {
  for (char const *const name : variables) environment.unset(name);
}

} // namespace pm
