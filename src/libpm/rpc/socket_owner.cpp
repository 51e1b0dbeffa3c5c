#include <pm/rpc/socket_owner.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <pm/base/fd.h>
#include <string.h>

namespace pm::onc {

namespace {

constexpr char const *doing = "know the owner of a socket";

struct Question {
  struct nlmsghdr header;
  struct inet_diag_req_v2 request;
};

Result<uid_t> ask(int socket, Question const &question, uint16_t port) noexcept {
  if (sys::send(socket, &question, sizeof question, 0) < 0) return failed(doing);
  alignas(struct nlmsghdr) char bytes[4096];
  struct iovec room = {bytes, sizeof bytes};
  struct msghdr message = {};
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  // The kernel answers within send: nothing is waited for.
  ssize_t const n = sys::recvmsg(socket, &message, MSG_DONTWAIT);
  if (n < 0) return failed(doing);
  auto const *header = reinterpret_cast<struct nlmsghdr const *>(bytes);
  auto const size = static_cast<size_t>(n);
  if (size < sizeof *header || header->nlmsg_len > size) return failed(doing, EPROTO);
  if (header->nlmsg_type == NLMSG_ERROR) {
    auto const *error = static_cast<struct nlmsgerr const *>(NLMSG_DATA(header));
    return failed(doing, header->nlmsg_len >= NLMSG_LENGTH(sizeof *error) && error->error ? -error->error : EPROTO);
  }
  auto const *found = static_cast<struct inet_diag_msg const *>(NLMSG_DATA(header));
  if (header->nlmsg_len < NLMSG_LENGTH(sizeof *found)) return failed(doing, EPROTO);
  // Not our own end of it.
  if (ntohs(found->id.idiag_sport) != port) return failed(doing, ENOENT);
  return found->idiag_uid;
}

} // namespace

Result<uid_t> socket_owner(Netid netid, Endpoint const &theirs, Endpoint const &ours) noexcept {
  if (theirs.family() != ours.family() || theirs.port() == ours.port()) return failed(doing, ENOENT);
  Fd const socket(sys::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket.valid()) return failed(doing);
  Question question = {};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = static_cast<uint8_t>(theirs.family());
  question.request.sdiag_protocol = is_datagram(netid) ? IPPROTO_UDP : IPPROTO_TCP;
  question.request.idiag_states = ~0U;
  question.request.id.idiag_cookie[0] = question.request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  // For UDP, kernels have taken source and destination both ways round: what is found tells whose end it is.
  bool const datagrams = is_datagram(netid);
  for (bool const turned : {datagrams, !datagrams}) {
    Endpoint const &source = turned ? ours : theirs, &destination = turned ? theirs : ours;
    auto &id = question.request.id;
    id.idiag_sport = htons(source.port());
    id.idiag_dport = htons(destination.port());
    memcpy(id.idiag_src, source.host().data(), source.host().size());
    memcpy(id.idiag_dst, destination.host().data(), destination.host().size());
    auto const uid = ask(socket.get(), question, theirs.port());
    if (uid || !datagrams || uid.error().code != ENOENT) return uid;
  }
  return failed(doing, ENOENT);
}

} // namespace pm::onc
