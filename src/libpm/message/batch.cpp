// Many small messages a call: what a message costs by itself is mostly the call.

#include <pm/message/channel.h>
#include <string.h>
#include <algorithm>

namespace pm::message {

namespace {
/** More are sent by another call. */
constexpr size_t batch = 16;

struct OneDescriptor {
  alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(int))];
};
} // namespace

Result<size_t> Channel::send_ready(std::span<Encoded const> messages) noexcept {
  struct mmsghdr headers[batch] = {};
  struct iovec parts[batch];
  OneDescriptor controls[batch] = {};
  size_t const count = std::min(messages.size(), batch);
  for (size_t i = 0; i < count; ++i) {
    auto const &[bytes, descriptor] = messages[i];
    parts[i] = {const_cast<char *>(bytes.data()), bytes.size()};
    auto &header = headers[i].msg_hdr;
    header.msg_iov = &parts[i];
    header.msg_iovlen = 1;
    header.msg_control = controls[i].bytes;
    header.msg_controllen = sizeof controls[i].bytes;
    auto *const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof descriptor);
    memcpy(CMSG_DATA(rights), &descriptor, sizeof descriptor);
  }
  int const sent = sys::sendmmsg(out_, headers, static_cast<unsigned>(count), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return failed("send a message");
  return static_cast<size_t>(sent);
}

} // namespace pm::message
