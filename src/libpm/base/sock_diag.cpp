#include <pm/base/sock_diag.h>

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <pm/base/fd.h>
#include <string.h>

namespace pm {

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
  // The kernel answers within send: nothing is waited for.
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

} // namespace pm
