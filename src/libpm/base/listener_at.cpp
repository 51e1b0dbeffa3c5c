#include <pm/base/listener_at.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>

namespace pm {

namespace {

constexpr char const *doing = "see who listens at";
/** TCP_LISTEN of the kernel's net/tcp_states.h. */
constexpr unsigned listening = 10;

/** Only an address of this host can be bound to. */
Result<bool> is_of_this_host(SocketName name, socklen_t size) noexcept {
  (name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port) = 0;
  Fd const socket(sys::socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return failed(doing);
  if (sys::bind(socket.get(), &name.any, size) == 0) return true;
  if (errno != EADDRNOTAVAIL) return failed(doing);
  return false;
}

struct Question {
  struct nlmsghdr header;
  struct inet_diag_req_v2 request;
};

} // namespace

Result<std::optional<uid_t>> listener_at(Address const &address) noexcept {
  auto const destination = SocketAddress::destination(address);
  SocketName name = {};
  memcpy(&name, destination.name(), destination.size());
  auto const local = is_of_this_host(name, destination.size());
  if (!local) return fail(local);
  if (!*local) return std::nullopt;

  Fd const netlink(sys::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink.valid()) return failed(doing);
  Question question = {};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  auto &request = question.request;
  request.sdiag_family = static_cast<uint8_t>(name.any.sa_family);
  request.sdiag_protocol = IPPROTO_TCP;
  request.idiag_states = 1U << listening;
  request.id.idiag_cookie[0] = request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  // From nobody to there: what the kernel would give a new connection to, be it bound to a wildcard.
  if (name.any.sa_family == AF_INET6) {
    request.id.idiag_sport = name.v6.sin6_port;
    memcpy(request.id.idiag_src, &name.v6.sin6_addr, sizeof name.v6.sin6_addr);
  } else {
    request.id.idiag_sport = name.v4.sin_port;
    memcpy(request.id.idiag_src, &name.v4.sin_addr, sizeof name.v4.sin_addr);
  }
  if (sys::send(netlink.get(), &question, sizeof question, 0) < 0) return failed(doing);

  alignas(struct nlmsghdr) char answer[1024];
  struct iovec room = {answer, sizeof answer};
  struct msghdr message = {};
  message.msg_iov = &room;
  message.msg_iovlen = 1;
  ssize_t const n = sys::recvmsg(netlink.get(), &message, 0);
  if (n < 0) return failed(doing);
  auto const size = static_cast<size_t>(n);
  auto const *const header = reinterpret_cast<struct nlmsghdr const *>(answer);
  if (size < sizeof *header) return failed(doing, EPROTO);
  if (header->nlmsg_type == NLMSG_ERROR) {
    auto const *const error = reinterpret_cast<struct nlmsgerr const *>(answer + NLMSG_HDRLEN);
    return failed(doing, size < NLMSG_HDRLEN + sizeof *error ? EPROTO : -error->error);
  }
  auto const *const found = reinterpret_cast<struct inet_diag_msg const *>(answer + NLMSG_HDRLEN);
  if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY || size < NLMSG_HDRLEN + sizeof *found) return failed(doing, EPROTO);
  if (found->idiag_state != listening) return failed(doing, ENOENT);
  return found->idiag_uid;
}

} // namespace pm
