#include "libpm/net/peer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <utility>
#include "libpm/net/sock_addr.h"
#include "libpm/os/process.h"
#include "libpm/util/sort.h"

namespace pm {

namespace {

constexpr char const *doing = "get the peer of";

/** Linux 6.5; glibc's headers have it from 2.39 on. */
constexpr int so_peerpidfd = 77;

/** NGROUPS_MAX of Linux: the most groups of a process. */
constexpr socklen_t most_groups = 65536;

Result<std::optional<List<gid_t>>> groups_of(int socket) noexcept {
  List<gid_t> groups;
  for (socklen_t count = 32;;) {
    while (groups.size() < count)
      if (!groups.append(0)) return failed(doing, ENOMEM);
    socklen_t size = static_cast<socklen_t>(groups.size() * sizeof(gid_t));
    if (sys::getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups.begin(), &size) == 0) {
      List<gid_t> found;
      gid_t *const end = groups.begin() + size / sizeof(gid_t);
      sort(std::span(groups.begin(), end), [](gid_t a, gid_t b) noexcept { return a < b; });
      if (!found.append({groups.begin(), end})) return failed(doing, ENOMEM);
      return found;
    }
    if (errno == ENOPROTOOPT) return std::nullopt;
    socklen_t const needed = static_cast<socklen_t>(size / sizeof(gid_t));
    if (errno != ERANGE || needed <= count || needed > most_groups) return failed(doing);
    count = needed;
  }
}

} // namespace

Result<struct ucred> peer_credentials(int socket) noexcept {
  struct ucred who;
  socklen_t size = sizeof who;
  if (sys::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) < 0) return failed(doing);
  return who;
}

Result<Peer> peer_of(int socket) noexcept {
  // For a listening socket, SO_PEERCRED returns its own process; but getpeername(2) fails.
  auto const name = SockAddr::of_peer(socket, doing);
  if (!name) return fail(name);
  if (!name->is_local()) return failed(doing, EAFNOSUPPORT);
  auto const who = peer_credentials(socket);
  if (!who) return fail(who);
  auto groups = groups_of(socket);
  if (!groups) return fail(groups);
  return Peer{who->uid, who->gid, who->pid, static_cast<std::optional<List<gid_t>> &&>(*groups)};
}

Fd peer_process(int socket) noexcept {
  int number = -1;
  socklen_t size = sizeof number;
  return sys::getsockopt(socket, SOL_SOCKET, so_peerpidfd, &number, &size) == 0 ? Fd(number) : Fd();
}

Result<Fd> running_peer_process(int socket) noexcept {
  int number = -1;
  socklen_t size = sizeof number;
  if (sys::getsockopt(socket, SOL_SOCKET, so_peerpidfd, &number, &size) == 0) return Fd(number);
  // The kernel says EINVAL or ESRCH of a process that has ended.
  if (errno == EINVAL || errno == ESRCH) return failed(doing, ESRCH);
  if (errno != ENOPROTOOPT) return failed(doing);
  auto const peer = peer_credentials(socket);
  if (!peer) return fail(peer);
  if (peer->pid <= 0) return failed(doing, EINVAL);
  auto process = process_fd(peer->pid);
  return process || process.error().code != ENOSYS ? std::move(process) : Result<Fd>(failed(doing, EINVAL));
}

Result<std::optional<Text<256>>> peer_label(int socket) noexcept {
  char label[256];
  socklen_t size = sizeof label;
  if (sys::getsockopt(socket, SOL_SOCKET, SO_PEERSEC, label, &size) < 0) {
    if (errno == ENOPROTOOPT || errno == EINVAL || errno == EOPNOTSUPP) return std::nullopt;
    return failed("get the label of the peer of");
  }
  // Some modules count a final NUL.
  std::string_view const said(label, strnlen(label, size));
  if (said.empty() || has_control(said)) return std::nullopt;
  return Text<256>(said);
}

Result<uint64_t> peer_start_time(int socket, Peer const &peer) noexcept {
  if (peer.pid <= 0) return failed(doing, ESRCH);
  int number = -1;
  socklen_t size = sizeof number;
  bool const exact = sys::getsockopt(socket, SOL_SOCKET, so_peerpidfd, &number, &size) == 0;
  // Any error except a lack of descriptors or memory means that the process has ended.
  if (!exact && errno != ENOPROTOOPT) return failed(doing, errno == EMFILE || errno == ENFILE || errno == ENOMEM ? errno : ESRCH);
  Fd const process(exact ? number : -1);
  auto const start = start_time(peer.pid);
  if (exact) {
    // If the process still runs now, the pid was its own when the start time was read.
    auto const ended = has_ended(process.get());
    if (!ended || *ended) return failed(doing, ended ? ESRCH : ended.error().code);
    return start;
  }
  if (!start) return start;
  // Without a pidfd, the pid may belong to another process by now. The connection is older than this process, so a process that
  // is younger than this one is not the peer.
  auto const own = start_time(::getpid());
  if (!own) return own;
  if (*start > *own) return failed(doing, ESRCH);
  return start;
}

} // namespace pm
