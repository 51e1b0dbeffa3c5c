#include "libpm/net/ask_sock_diag.h"

#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include "libpm/os/sys.h"

namespace pm {

namespace {
/** Most bytes of a message of the kernel: NLMSG_GOODSIZE, or a page, is less. */
constexpr size_t answer_max = 16384;
} // namespace

Done ask_sock_diag(std::string_view request, bool all, char const *doing,
                   Callback<void(std::string_view answer)> visit) noexcept {
  Fd const socket(sys::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!socket.valid()) return failed(doing);
  struct nlmsghdr question = {};
  question.nlmsg_len = static_cast<uint32_t>(NLMSG_LENGTH(request.size()));
  question.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.nlmsg_flags = static_cast<uint16_t>(all ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_REQUEST);
  alignas(struct nlmsghdr) char bytes[answer_max];
  if (question.nlmsg_len > sizeof bytes) return failed(doing, EMSGSIZE);
  memcpy(bytes, &question, sizeof question);
  memcpy(bytes + NLMSG_HDRLEN, request.data(), request.size());
  if (sys::send(socket.get(), bytes, question.nlmsg_len, 0) < 0) return failed(doing);

  for (;;) {
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
      if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY) return failed(doing, EPROTO);
      visit({static_cast<char const *>(NLMSG_DATA(header)), header->nlmsg_len - NLMSG_LENGTH(0)});
      if (!all) return {};
      at += NLMSG_ALIGN(header->nlmsg_len);
    }
    if (size == 0) return failed(doing, EPROTO);
  }
}

void each_attribute(std::string_view answer, size_t skipped,
                    Callback<void(uint16_t type, std::string_view value)> visit) noexcept {
  for (size_t next = NLMSG_ALIGN(skipped); next < answer.size();) {
    answer.remove_prefix(next);
    struct nlattr attribute;
    if (answer.size() < NLA_HDRLEN) return;
    memcpy(&attribute, answer.data(), sizeof attribute);
    if (attribute.nla_len < NLA_HDRLEN || attribute.nla_len > answer.size()) return;
    visit(attribute.nla_type, {answer.data() + NLA_HDRLEN, static_cast<size_t>(attribute.nla_len) - NLA_HDRLEN});
    next = NLA_ALIGN(attribute.nla_len);
  }
}

} // namespace pm
