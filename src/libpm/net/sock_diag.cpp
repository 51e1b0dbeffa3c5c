#include "libpm/net/sock_diag.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include "libpm/os/sys.h"

namespace pm {

namespace {

constexpr char const *finding = "find the listening socket of";
/** TCP_LISTEN of the kernel's net/tcp_states.h. */
constexpr unsigned listening = 10;

/** Tests with bind(2), which fails for an address of another host. */
Result<bool> is_of_this_host(SockAddr name) noexcept {
  name.set_port(0);
  Fd const socket(sys::socket(name.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return failed(finding);
  if (sys::bind(socket.get(), name.get(), name.size()) == 0) return true;
  if (errno != EADDRNOTAVAIL) return failed(finding);
  return false;
}

/** Asks the kernel for one socket, with any cookie. `doing` is for the error. */
Result<struct inet_diag_msg> ask_sock_diag(struct inet_diag_req_v2 const &request, char const *doing) noexcept {
  Fd const socket(sys::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket.valid()) return failed(doing);
  struct {
    struct nlmsghdr header;
    struct inet_diag_req_v2 request;
  } question = {};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request = request;
  question.request.id.idiag_cookie[0] = question.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (sys::send(socket.get(), &question, sizeof question, 0) < 0) return failed(doing);

  alignas(struct nlmsghdr) char bytes[4096];
  struct iovec room = {bytes, sizeof bytes};
  struct msghdr message = {};
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  // The kernel answers within send(2), so there is no need to wait.
  ssize_t const n = sys::recvmsg(socket.get(), &message, MSG_DONTWAIT);
  if (n < 0) return failed(doing);
  auto const *header = reinterpret_cast<struct nlmsghdr const *>(bytes);
  auto const size = static_cast<size_t>(n);
  if (size < sizeof *header || header->nlmsg_len > size) return failed(doing, EPROTO);
  if (header->nlmsg_type == NLMSG_ERROR) {
    auto const *error = static_cast<struct nlmsgerr const *>(NLMSG_DATA(header));
    return failed(doing, header->nlmsg_len >= NLMSG_LENGTH(sizeof *error) && error->error ? -error->error : EPROTO);
  }
  struct inet_diag_msg found;
  if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || header->nlmsg_len < NLMSG_LENGTH(sizeof found)) return failed(doing, EPROTO);
  memcpy(&found, NLMSG_DATA(header), sizeof found);
  return found;
}

} // namespace

Result<std::optional<uid_t>> listener_at(Address const &address) noexcept {
  auto const name = SockAddr::destination(address);
  auto const local = is_of_this_host(name);
  if (!local) return fail(local);
  if (!*local) return std::nullopt;

  struct inet_diag_req_v2 request = {};
  request.sdiag_family = static_cast<uint8_t>(name.family());
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = 1U << listening;
  // Without a peer's address, the kernel finds the socket that would get a new connection, also one bound to a wildcard.
  request.id.idiag_sport = htons(name.port());
  memcpy(request.id.idiag_src, name.host_bytes().data(), name.host_bytes().size());
  auto const found = ask_sock_diag(request, finding);
  if (!found) return fail(found);
  if (found->idiag_state != listening) return failed(finding, ENOENT);
  return found->idiag_uid;
}

Result<uid_t> socket_owner(Netid netid, SockAddr const &theirs, SockAddr const &ours) noexcept {
  constexpr char const *doing = "get the owner of a socket";
  if (theirs.family() != ours.family() || theirs.port() == ours.port()) return failed(doing, ENOENT);
  bool const datagrams = is_datagram(netid);
  struct inet_diag_req_v2 request = {};
  request.sdiag_family = static_cast<uint8_t>(theirs.family());
  request.sdiag_protocol = datagrams ? IPPROTO_UDP : IPPROTO_TCP;
  request.idiag_states = ~0U;
  // Kernels differ in which end of a UDP socket is the source. The port in the answer shows which end was found.
  for (bool const turned : {datagrams, !datagrams}) {
    SockAddr const &source = turned ? ours : theirs, &destination = turned ? theirs : ours;
    auto &id = request.id;
    id.idiag_sport = htons(source.port());
    id.idiag_dport = htons(destination.port());
    memcpy(id.idiag_src, source.host_bytes().data(), source.host_bytes().size());
    memcpy(id.idiag_dst, destination.host_bytes().data(), destination.host_bytes().size());
    auto const found = ask_sock_diag(request, doing);
    // The kernel may find this process's own socket, which is not the one.
    if (found && ntohs(found->id.idiag_sport) == theirs.port()) return found->idiag_uid;
    if (!found && (!datagrams || found.error().code != ENOENT)) return fail(found);
    if (!datagrams) break;
  }
  return failed(doing, ENOENT);
}

} // namespace pm
