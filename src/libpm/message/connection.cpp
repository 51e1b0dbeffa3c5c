#include <pm/message/connection.h>

#include <linux/sockios.h>
#include <pm/base/stream.h>
#include <string.h>
#include <sys/ioctl.h>
#include <utility>

namespace pm::message {

Fd Descriptors::take(size_t i) noexcept {
  return i < count_ ? Fd(std::exchange(fds_[i], -1)) : Fd();
}

void Descriptors::clear() noexcept {
  for (size_t i = 0; i < count_; ++i) Fd(fds_[i]).reset();
  count_ = 0;
}

bool Descriptors::add(int fd) noexcept {
  Fd owned(fd);
  if (count_ == descriptors_max) return false;
  fds_[count_++] = owned.release();
  return true;
}

namespace {

constexpr char const *receiving = "receive a message", *sending = "send a message";

/** Room for all the descriptors that the kernel passes at once, and for credentials that nobody asked for. */
struct Control {
  static constexpr size_t size = CMSG_SPACE(sizeof(int) * descriptors_max) + CMSG_SPACE(sizeof(struct ucred));
  alignas(struct cmsghdr) char bytes[size];
};

/** Owns every descriptor of every control message, before anything is decided; false if there were more than there may be. */
bool own_all(struct msghdr &header, Descriptors &descriptors) noexcept {
  bool fits = true;
  for (auto *control = CMSG_FIRSTHDR(&header); control; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) continue;
    size_t const count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd;
      memcpy(&fd, CMSG_DATA(control) + i * sizeof fd, sizeof fd);
      fits = descriptors.add(fd) && fits;
    }
  }
  return fits;
}

} // namespace

/** At least one byte, 0 at the end of file; EAGAIN. */
Result<size_t> Connection::receive_some(std::span<char> room) noexcept {
  Control control;
  struct iovec part = {room.data(), room.size()};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  ssize_t const n = sys::recvmsg(in_, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0) return failed(receiving);
  bool const fits = own_all(header, message_.descriptors);
  if (header.msg_flags & MSG_CTRUNC) return failed(receiving, EMFILE);
  if (!fits) return failed(receiving, EPROTO);
  return static_cast<size_t>(n);
}

/** Fills `room`; less only at the end of file. */
Result<size_t> Connection::receive_bytes(std::span<char> room, Deadline deadline, int stop) noexcept {
  size_t have = 0;
  while (have < room.size()) {
    if (auto const ready = wait_for(in_, POLLIN, deadline, stop); !ready) return failed(receiving, ready.error().code);
    auto const n = receive_some(room.subspan(have));
    if (!n && (n.error().code == EAGAIN || n.error().code == EINTR)) continue;
    if (!n) return n;
    if (*n == 0) break;
    have += *n;
  }
  return have;
}

Result<Message *> Connection::receive(Deadline deadline, int stop) noexcept {
  message_.descriptors.clear();
  auto const received = receive_frame(deadline, stop);
  if (!received) message_.descriptors.clear();
  return received;
}

Result<Message *> Connection::receive_frame(Deadline deadline, int stop) noexcept {
  char head[header_size];
  auto const got = receive_bytes(head, deadline, stop);
  if (!got) return fail(got);
  if (*got == 0 && message_.descriptors.size() == 0) return nullptr;
  Header header;
  if (*got < sizeof head || !xdr::decode({head, sizeof head}, header)) return failed(receiving, EPROTO);
  if (header.size > payload_max || header.descriptors > descriptors_max) return failed(receiving, EMSGSIZE);
  // Only as much as was announced is read: what follows belongs to the next, with its descriptors.
  buffer_.clear();
  if (!buffer_.resize(header.size)) return failed(receiving, ENOMEM);
  auto const payload = receive_bytes({buffer_.begin(), buffer_.size()}, deadline, stop);
  if (!payload) return fail(payload);
  if (*payload < header.size || message_.descriptors.size() != header.descriptors) return failed(receiving, EPROTO);
  message_.type = header.type;
  message_.payload = {buffer_.begin(), buffer_.size()};
  return &message_;
}

Done Connection::send(uint32_t type, std::string_view payload, std::span<int const> descriptors, Deadline deadline,
                      int stop) noexcept {
  if (payload.size() > payload_max || descriptors.size() > descriptors_max) return failed(sending, EMSGSIZE);
  List<char> bytes;
  xdr::Encoder encoder(bytes);
  Header const head = {type, static_cast<uint32_t>(payload.size()), static_cast<uint32_t>(descriptors.size())};
  if (!encoder(head) || !append(bytes, payload)) return failed(sending, ENOMEM);

  Control control;
  bool attached = false;
  for (size_t sent = 0; sent < bytes.size();) {
    struct iovec part = {bytes.begin() + sent, bytes.size() - sent};
    struct msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!descriptors.empty() && !attached) {
      // They go with the first byte.
      memset(&control, 0, sizeof control);
      header.msg_control = control.bytes;
      header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
      auto *const rights = CMSG_FIRSTHDR(&header);
      rights->cmsg_level = SOL_SOCKET;
      rights->cmsg_type = SCM_RIGHTS;
      rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
      memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
    }
    ssize_t const n = sys::sendmsg(out_, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) {
      attached = true;
      sent += static_cast<size_t>(n);
    } else if (errno == EAGAIN) {
      if (auto const ready = wait_for(out_, POLLOUT, deadline, stop); !ready) return failed(sending, ready.error().code);
    } else if (errno != EINTR) {
      return failed(sending);
    }
  }
  return {};
}

bool Connection::is_delivered() const noexcept {
  int unread = 0;
  return sys::ioctl(out_, SIOCOUTQ, &unread) == 0 && unread == 0;
}

} // namespace pm::message
