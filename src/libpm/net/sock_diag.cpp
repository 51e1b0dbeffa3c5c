#include "libpm/net/sock_diag.h"

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include "libpm/net/ask_sock_diag.h"
#include "libpm/os/sys.h"
#include "libpm/util/text.h"

namespace pm {

namespace {

constexpr char const *finding = "find the listening socket of";

/** Tests with bind(2), which fails for an address of another host. */
Result<bool> is_of_this_host(SockAddr name) noexcept {
  name.set_port(0);
  Fd const socket(sys::socket(name.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return failed(finding);
  if (sys::bind(socket.get(), name.get(), name.size()) == 0) return true;
  if (errno != EADDRNOTAVAIL) return failed(finding);
  return false;
}

template <class Request>
std::string_view bytes_of(Request const &request) noexcept {
  return {reinterpret_cast<char const *>(&request), sizeof request};
}

/** A socket in an answer. The message may have this attribute only, of those that are of interest here. */
struct FoundSocket {
  struct inet_diag_msg message;
  bool only_v6 = false; /**< it is not connected, and cannot exchange data by IPv4 */
};

/** Asks as ask_sock_diag() does, for TCP or UDP sockets with any cookie. */
Done ask_inet_diag(struct inet_diag_req_v2 request, bool all, char const *doing,
                   Callback<void(FoundSocket const &)> visit) noexcept {
  request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  bool whole = true;
  auto const asked = ask_sock_diag(bytes_of(request), all, doing, [&](std::string_view answer) noexcept {
    FoundSocket found;
    whole = whole && answer.size() >= sizeof found.message;
    if (!whole) return;
    memcpy(&found.message, answer.data(), sizeof found.message);
    each_attribute(answer, sizeof found.message, [&](uint16_t type, std::string_view value) noexcept {
      if (type == INET_DIAG_SKV6ONLY && !value.empty()) found.only_v6 = value[0];
    });
    visit(found);
  });
  return whole ? asked : failed(doing, EPROTO);
}

/** A request for sockets of a family and protocol with this local port, in these states. */
struct inet_diag_req_v2 request_for(int family, int protocol, uint32_t states, uint16_t port) noexcept {
  struct inet_diag_req_v2 request = {};
  request.sdiag_family = static_cast<uint8_t>(family);
  request.sdiag_protocol = static_cast<uint8_t>(protocol);
  request.idiag_states = states;
  request.id.idiag_sport = htons(port);
  return request;
}

void set_host(__be32 (&host)[4], SockAddr const &address) noexcept {
  memcpy(host, address.host_bytes().data(), address.host_bytes().size());
}

constexpr char const *owning = "get the owner of a socket";

/** Whether an unprivileged process may bind this port in this network namespace: ip(7), ip_unprivileged_port_start. */
bool is_open_to_all(uint16_t port) noexcept {
  Fd const file(sys::openat(AT_FDCWD, "/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY | O_CLOEXEC));
  char buffer[16];
  ssize_t const n = file.valid() ? sys::read(file.get(), buffer, sizeof buffer) : -1;
  if (n < 0) return true;
  return port >= number<uint16_t>(cut({buffer, static_cast<size_t>(n)}, '\n').head).value_or(0);
}

/**
 * Whether another user can bind a UDP socket to this address beside those that are bound to it: then such a socket may have sent a
 * datagram, and be closed by now.
 */
Result<bool> can_be_shared(SockAddr const &address) noexcept {
  if (!is_open_to_all(address.port())) return false;
  Fd const socket(sys::socket(address.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  int const yes = 1;
  if (!socket.valid() || sys::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0) return failed(owning);
  if (sys::bind(socket.get(), address.get(), address.size()) == 0) return true;
  if (errno == EADDRINUSE || errno == EACCES) return false;
  return failed(owning);
}

/** Linux 5.3, linux/unix_diag.h: show the user of a Unix socket, and the attribute with it. */
constexpr unsigned show_user = 0x40;
constexpr uint16_t user_attribute = 7;

/** Asks for an attribute of the Unix socket with that inode, a number. ENOENT: there is no such socket, or it has no such attribute. */
Result<uint32_t> ask_unix_diag(ino_t inode, unsigned show, uint16_t wanted, char const *doing) noexcept {
  struct unix_diag_req request = {};
  request.sdiag_family = AF_UNIX;
  request.udiag_states = ~0U;
  request.udiag_ino = static_cast<uint32_t>(inode);
  request.udiag_show = show;
  request.udiag_cookie[0] = request.udiag_cookie[1] = ~0U;
  std::optional<uint32_t> found;
  auto const asked = ask_sock_diag(bytes_of(request), false, doing, [&](std::string_view answer) noexcept {
    each_attribute(answer, sizeof(struct unix_diag_msg), [&](uint16_t type, std::string_view value) noexcept {
      uint32_t number;
      if (type != wanted || value.size() < sizeof number) return;
      memcpy(&number, value.data(), sizeof number);
      found = number;
    });
  });
  if (!asked) return fail(asked);
  if (!found) return failed(doing, ENOENT);
  return *found;
}

} // namespace

Result<std::optional<uid_t>> listener_at(Address const &address) noexcept {
  auto const name = SockAddr::destination(address);
  auto const local = is_of_this_host(name);
  if (!local) return fail(local);
  if (!*local) return std::nullopt;

  auto request = request_for(name.family(), IPPROTO_TCP, 1U << TCP_LISTEN, name.port());
  // Without a peer's address, the kernel finds the socket that would get a new connection, also one bound to a wildcard.
  set_host(request.id.idiag_src, name);
  std::optional<uid_t> owner;
  auto const asked = ask_inet_diag(request, false, finding, [&](FoundSocket const &found) noexcept {
    if (found.message.idiag_state == TCP_LISTEN) owner = found.message.idiag_uid;
  });
  if (!asked) return fail(asked);
  if (!owner) return failed(finding, ENOENT);
  return owner;
}

Result<uid_t> peer_owner(int connection, SockAddr const &theirs, SockAddr const &ours) noexcept {
  auto request = request_for(theirs.family(), IPPROTO_TCP, ~0U, theirs.port());
  request.id.idiag_dport = htons(ours.port());
  set_host(request.id.idiag_src, theirs);
  set_host(request.id.idiag_dst, ours);
  std::optional<uid_t> owner;
  auto const asked = ask_inet_diag(request, false, owning, [&](FoundSocket const &found) noexcept {
    // The kernel may find a listening socket instead. A socket that was closed has no inode, and the uid 0.
    auto const &socket = found.message;
    if (socket.idiag_state == TCP_ESTABLISHED && socket.idiag_inode && socket.id.idiag_dport == request.id.idiag_dport)
      owner = socket.idiag_uid;
  });
  if (!asked) return fail(asked);
  // After a reset another socket may have the peer's address. As long as this end is connected, the peer is the one that was.
  struct tcp_info own;
  socklen_t size = sizeof own;
  if (sys::getsockopt(connection, IPPROTO_TCP, TCP_INFO, &own, &size) < 0) return failed(owning);
  if (!owner || own.tcpi_state != TCP_ESTABLISHED) return failed(owning, ENOENT);
  return *owner;
}

Result<uid_t> sender_owner(SockAddr const &theirs) noexcept {
  bool const v6 = theirs.family() == AF_INET6;
  std::optional<uid_t> owner;
  bool several = false;
  for (int const family : {AF_INET6, AF_INET}) {
    // A socket of IPv4 sends nothing from an address of IPv6.
    if (v6 && family == AF_INET) continue;
    auto const asked =
        ask_inet_diag(request_for(family, IPPROTO_UDP, ~0U, theirs.port()), true, owning, [&](FoundSocket const &found) noexcept {
          auto const &socket = found.message;
          // The address that a socket is bound to does not count: it may send from each address of this host, ip(7), IP_PKTINFO.
          if (ntohs(socket.id.idiag_sport) != theirs.port() || (!v6 && found.only_v6)) return;
          several = several || !socket.idiag_inode || (owner && *owner != socket.idiag_uid);
          owner = socket.idiag_uid;
        });
    // A kernel without IPv6 has none of its sockets.
    if (!asked && (v6 || family == AF_INET)) return fail(asked);
  }
  if (!owner) return failed(owning, ENOENT);
  auto const shared = can_be_shared(theirs);
  if (!shared) return fail(shared);
  if (several || *shared) return failed(owning, ENOTUNIQ);
  return *owner;
}

Result<uid_t> datagram_peer_owner(int socket) noexcept {
  constexpr char const *doing = "get the owner of the socket at";
  struct stat st;
  if (sys::fstat(socket, &st) < 0) return failed(doing);
  // The peer of a connected socket does not change, so both answers are about the one that gets its datagrams.
  auto const peer = ask_unix_diag(st.st_ino, UDIAG_SHOW_PEER, UNIX_DIAG_PEER, doing);
  if (!peer) return fail(peer);
  return ask_unix_diag(*peer, show_user, user_attribute, doing);
}

} // namespace pm
