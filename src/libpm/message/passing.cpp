#include "libpm/message/passing.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <algorithm>
#include <utility>
#include "libpm/message/status.h"
#include "libpm/net/connect.h"
#include "libpm/os/slow_files.h"
#include "libpm/os/stream.h"
#include "libpm/os/sys.h"

namespace pm {

namespace message {

namespace {

constexpr char const *receiving = "receive a message", *sending = "send a message";

/** Room for the most descriptors that the kernel passes at once, and for credentials. */
struct Control {
  static constexpr size_t size = CMSG_SPACE(sizeof(int) * descriptors_max) + CMSG_SPACE(sizeof(struct ucred));
  alignas(struct cmsghdr) char bytes[size];
};

/**
 * Takes ownership of the descriptors in all control messages, before any check can fail. False: there are more than
 * descriptors_max.
 */
bool own_all(struct msghdr &header, Descriptors &descriptors, struct ucred &credentials) noexcept {
  bool fits = true;
  for (auto *control = CMSG_FIRSTHDR(&header); control; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET) continue;
    if (control->cmsg_type == SCM_CREDENTIALS && control->cmsg_len >= CMSG_LEN(sizeof credentials))
      memcpy(&credentials, CMSG_DATA(control), sizeof credentials);
    if (control->cmsg_type != SCM_RIGHTS) continue;
    size_t const count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
      // Without memory to note it, it stays open, because its close could wait without end.
      fits = SlowFiles::note(fd) && descriptors.add(fd) && fits;
    }
  }
  return fits;
}

Result<int> type_of(int socket, char const *doing) noexcept {
  int type = 0;
  socklen_t size = sizeof type;
  if (sys::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) < 0) return failed(doing);
  return type;
}

} // namespace

Fd Descriptors::take(size_t i) noexcept {
  return i < count_ ? Fd(std::exchange(fds_[i], -1)) : Fd();
}

bool Descriptors::add(int fd) noexcept {
  Fd owned(fd);
  if (count_ == descriptors_max) return false;
  fds_[count_++] = owned.release();
  return true;
}

void Descriptors::give(size_t count, Descriptors &to) noexcept {
  for (size_t i = 0; i < count; ++i) (void)to.add(fds_[i]);
  memmove(fds_, fds_ + count, (count_ - count) * sizeof *fds_);
  count_ -= count;
}

Result<size_t> receive_once(int socket, std::span<char> room, Descriptors &descriptors, size_t most, Sender *sender) noexcept {
  Control control;
  struct iovec part = {room.data(), room.size()};
  struct msghdr header = {};
  if (sender) {
    header.msg_name = &sender->address;
    header.msg_namelen = sizeof sender->address;
  }
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = std::min(CMSG_SPACE(sizeof(struct ucred)) + CMSG_LEN(sizeof(int) * most), sizeof control.bytes);
  ssize_t const n = sys::recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0) return failed(receiving);
  size_t const before = descriptors.size();
  struct ucred credentials = {};
  bool const fits = own_all(header, descriptors, credentials);
  if (sender) {
    sender->size = header.msg_namelen;
    sender->credentials = credentials;
  }
  if (header.msg_flags & MSG_CTRUNC) return failed(receiving, descriptors.size() - before < most ? EMFILE : EPROTO);
  if (!fits) return failed(receiving, EPROTO);
  if (header.msg_flags & MSG_TRUNC) return failed(receiving, EMSGSIZE);
  return static_cast<size_t>(n);
}

Result<struct ucred> peek_credentials(int socket) noexcept {
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
  struct msghdr header = {};
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  if (sys::recvmsg(socket, &header, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0) return failed(receiving);
  Descriptors none;
  struct ucred credentials = {};
  (void)own_all(header, none, credentials);
  return credentials;
}

Result<size_t> send_once(int socket, std::string_view bytes, std::span<int const> descriptors, SockAddr const *to) noexcept {
  if (descriptors.empty() && !to) { // most messages; the kernel has two structs less to copy than for sendmsg(2)
    ssize_t const n = sys::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) return failed(sending);
    return static_cast<size_t>(n);
  }
  Control control;
  struct iovec part = {const_cast<char *>(bytes.data()), bytes.size()};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (to) {
    header.msg_name = const_cast<struct sockaddr *>(to->get());
    header.msg_namelen = to->size();
  }
  if (!descriptors.empty()) {
    header.msg_control = control.bytes;
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    // The kernel also reads the padding after the last descriptor.
    memset(control.bytes, 0, header.msg_controllen);
    auto *const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t const n = sys::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n < 0) return failed(sending);
  return static_cast<size_t>(n);
}

bool is_delivered(int socket) noexcept {
  int unread = 0;
  return sys::ioctl(socket, SIOCOUTQ, &unread) == 0 && unread == 0;
}

Done send_all(int socket, std::string_view bytes, std::span<int const> descriptors, Limit limit, SockAddr const *to) noexcept {
  for (;;) {
    auto const sent = send_once(socket, bytes, descriptors, to);
    if (sent) {
      descriptors = {};
      bytes.remove_prefix(*sent);
      if (bytes.empty()) return {};
    } else if (sent.error().code == EAGAIN) {
      if (auto const ready = wait_for(socket, POLLOUT, limit); !ready) return failed(sending, ready.error().code);
    } else if (sent.error().code != EINTR) {
      return fail(sent);
    }
  }
}

} // namespace message

using namespace message;

namespace {
tl::unexpected<Error> fail_with(SysError error) noexcept {
  return tl::unexpected<Error>(error_of(error));
}
} // namespace

Outcome<void> send_fds(int socket, std::string_view bytes, std::span<int const> descriptors, Limit limit,
                       struct sockaddr_un const *to, socklen_t to_size) noexcept {
  if (descriptors.size() > descriptors_max) return fail_with({EMSGSIZE, sending});
  if (bytes.empty()) {
    auto const type = type_of(socket, sending);
    if (!type) return fail_with(type.error());
    // The kernel would accept the descriptors, but never deliver them.
    if (*type == SOCK_STREAM) return descriptors.empty() ? Outcome<void>() : fail_with({EINVAL, sending});
  }
  auto const address = to ? SockAddr::copy(to, to_size) : SockAddr();
  auto const sent = send_all(socket, bytes, descriptors, limit, to ? &address : nullptr);
  return sent ? Outcome<void>() : fail_with(sent.error());
}

Outcome<void> send_fds_to(std::string_view path, std::string_view bytes, std::span<int const> descriptors, Limit limit) noexcept {
  // A connected socket, because poll(2) reports room only for one.
  auto const socket = connect_local(path, limit, SOCK_DGRAM);
  if (!socket) return fail_with(socket.error());
  return send_fds(socket->get(), bytes, descriptors, limit);
}

Outcome<ReceivedBytes> receive_fds(int socket, std::span<char> room, Descriptors &descriptors, Limit limit) noexcept {
  descriptors.clear();
  for (ReceivedBytes received;;) {
    auto const got = receive_once(socket, room, descriptors, descriptors_max, &received.sender);
    if (got) {
      received.size = *got;
      if (received.size || descriptors.size()) return received;
      auto const type = type_of(socket, receiving);
      if (!type) return fail_with(type.error());
      received.end = *type != SOCK_DGRAM;
      return received;
    }
    descriptors.clear();
    int const code = got.error().code;
    if (code != EAGAIN && code != EINTR) return fail_with(got.error());
    if (auto const ready = wait_for(socket, POLLIN, limit); !ready) return fail_with({ready.error().code, receiving});
  }
}

} // namespace pm
