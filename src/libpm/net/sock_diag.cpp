#include "libpm/net/sock_diag.h"

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include "libpm/os/sys.h"
#include "libpm/util/callback.h"
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

/** Most bytes of a message of the kernel: NLMSG_GOODSIZE, or a page, is less. */
constexpr size_t answer_max = 16384;

/** A socket in an answer. The message may have this attribute only, of those that are of interest here. */
struct FoundSocket {
  struct inet_diag_msg message;
  bool only_v6 = false; /**< it is not connected, and cannot exchange data by IPv4 */
};

FoundSocket read_socket(struct nlmsghdr const *header) noexcept {
  FoundSocket found;
  char const *const data = static_cast<char const *>(NLMSG_DATA(header));
  memcpy(&found.message, data, sizeof found.message);
  std::string_view rest(data, header->nlmsg_len - NLMSG_LENGTH(0));
  for (size_t next = NLMSG_ALIGN(sizeof found.message); next < rest.size();) {
    rest.remove_prefix(next);
    struct nlattr attribute;
    if (rest.size() < sizeof attribute) break;
    memcpy(&attribute, rest.data(), sizeof attribute);
    if (attribute.nla_len < sizeof attribute || attribute.nla_len > rest.size()) break;
    if (attribute.nla_type == INET_DIAG_SKV6ONLY && attribute.nla_len > NLA_HDRLEN) found.only_v6 = *(rest.data() + NLA_HDRLEN);
    next = NLA_ALIGN(attribute.nla_len);
  }
  return found;
}

/**
 * Asks the kernel for the socket that `request` names, with any cookie, or for `all` that it describes, and visits each. ENOENT:
 * there is no such socket, unless all are asked for. `doing` is for the error.
 */
Done ask_sock_diag(struct inet_diag_req_v2 const &request, bool all, char const *doing,
                   Callback<void(FoundSocket const &)> visit) noexcept {
  Fd const socket(sys::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket.valid()) return failed(doing);
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } question = {};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = static_cast<uint16_t>(all ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_REQUEST);
  question.request = request;
  question.request.id.idiag_cookie[0] = question.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (sys::send(socket.get(), &question, sizeof question, 0) < 0) return failed(doing);

  for (;;) {
    alignas(struct nlmsghdr) char bytes[answer_max];
    struct iovec room = {bytes, sizeof bytes};
    struct msghdr message = {};
    message.msg_iov = &room;
    message.msg_iovlen = 1;
    // The kernel answers within send(2) and recvmsg(2), so there is no need to wait.
    ssize_t const n = sys::recvmsg(socket.get(), &message, MSG_DONTWAIT);
    if (n < 0) return failed(doing);
    if (message.msg_flags & MSG_TRUNC) return failed(doing, EMSGSIZE);
    auto const size = static_cast<size_t>(n);
    for (size_t at = 0; at < size;) {
      auto const *header = reinterpret_cast<struct nlmsghdr const *>(bytes + at);
      if (size - at < sizeof *header || header->nlmsg_len < sizeof *header || header->nlmsg_len > size - at)
        return failed(doing, EPROTO);
      if (header->nlmsg_type == NLMSG_DONE) return {};
      if (header->nlmsg_type == NLMSG_ERROR) {
        auto const *error = static_cast<struct nlmsgerr const *>(NLMSG_DATA(header));
        return failed(doing, header->nlmsg_len >= NLMSG_LENGTH(sizeof *error) && error->error ? -error->error : EPROTO);
      }
      if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || header->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
        return failed(doing, EPROTO);
      visit(read_socket(header));
      if (!all) return {};
      at += NLMSG_ALIGN(header->nlmsg_len);
    }
    if (size == 0) return failed(doing, EPROTO);
  }
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
  auto const asked = ask_sock_diag(request, false, finding, [&](FoundSocket const &found) noexcept {
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
  auto const asked = ask_sock_diag(request, false, owning, [&](FoundSocket const &found) noexcept {
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
        ask_sock_diag(request_for(family, IPPROTO_UDP, ~0U, theirs.port()), true, owning, [&](FoundSocket const &found) noexcept {
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

} // namespace pm
