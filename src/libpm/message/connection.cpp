#include <pm/message/connection.h>

#include <linux/sockios.h>
#include <pm/base/stream.h>
#include <string.h>
#include <sys/ioctl.h>
#include <algorithm>
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
  header.msg_name = &sender_.address;
  header.msg_namelen = sizeof sender_.address;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.bytes;
  header.msg_controllen = sizeof control.bytes;
  sender_.credentials = {};
  ssize_t const n = sys::recvmsg(in_, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0) return failed(receiving);
  bool const fits = own_all(header, message_.descriptors, sender_.credentials);
  sender_.size = header.msg_namelen;
  if (header.msg_flags & MSG_CTRUNC) return failed(receiving, EMFILE);
  if (!fits) return failed(receiving, EPROTO);
  if (header.msg_flags & MSG_TRUNC) return failed(receiving, EMSGSIZE);
  return static_cast<size_t>(n);
}

Result<Message *> Connection::finish(Header const &header, std::string_view payload) noexcept {
  if (payload.size() != header.size || message_.descriptors.size() != header.descriptors) return failed(receiving, EPROTO);
  message_.type = header.type;
  message_.payload = payload;
  return &message_;
}

namespace {
Result<Header> read_header(std::string_view bytes) noexcept {
  Header header;
  if (bytes.size() < header_size || !xdr::decode(bytes.substr(0, header_size), header)) return failed(receiving, EPROTO);
  if (header.size > payload_max || header.descriptors > descriptors_max) return failed(receiving, EMSGSIZE);
  return header;
}
} // namespace

/** A packet is a message, whole or not at all. */
Result<Message *> Connection::receive_packet() noexcept {
  message_.descriptors.clear();
  if (!buffer_.resize(header_size + payload_max)) return failed(receiving, ENOMEM);
  auto const got = receive_some({buffer_.begin(), buffer_.size()});
  if (!got) return fail(got);
  // Nothing is the end of a connection; of a datagram it is an empty one, even if descriptors came with it.
  if (*got == 0 && kind_ == SOCK_SEQPACKET && message_.descriptors.size() == 0) return nullptr;
  std::string_view const bytes(buffer_.begin(), *got);
  auto const header = read_header(bytes);
  if (!header) return fail(header);
  return finish(*header, bytes.substr(header_size));
}

Result<Message *> Connection::receive_now() noexcept {
  if (kind_ == 0) {
    socklen_t size = sizeof kind_;
    if (sys::getsockopt(in_, SOL_SOCKET, SO_TYPE, &kind_, &size) < 0) return failed(receiving);
  }
  auto const received = kind_ == SOCK_STREAM ? receive_frame() : receive_packet();
  // What there is of a frame stays until the rest of it has come; of what is none, nothing does.
  if (!received && received.error().code != EAGAIN && received.error().code != EINTR) message_.descriptors.clear();
  return received;
}

/** A frame of a stream: what came of it is kept from one call to the next. */
Result<Message *> Connection::receive_frame() noexcept {
  if (have_ == 0) message_.descriptors.clear();
  // Only as much as was announced is read: what follows belongs to the next message, with its descriptors.
  size_t wanted = header_size;
  for (;;) {
    if (have_ >= header_size) {
      auto const header = read_header({buffer_.begin(), header_size});
      if (!header) return fail(header);
      wanted = header_size + header->size;
      if (have_ == wanted) {
        have_ = 0;
        return finish(*header, {buffer_.begin() + header_size, header->size});
      }
    }
    if (!buffer_.resize(wanted)) return failed(receiving, ENOMEM);
    auto const got = receive_some({buffer_.begin() + have_, wanted - have_});
    if (!got) return fail(got);
    if (*got == 0 && have_ == 0 && message_.descriptors.size() == 0) return nullptr;
    if (*got == 0) return failed(receiving, EPROTO);
    have_ += *got;
  }
}

Result<Message *> Connection::receive_ahead() noexcept {
  constexpr size_t room = 4096;
  for (;;) {
    size_t wanted = header_size;
    if (have_ - used_ >= header_size) {
      auto const header = read_header({buffer_.begin() + used_, header_size});
      if (!header) return fail(header);
      wanted += header->size;
      if (have_ - used_ >= wanted) {
        std::string_view const payload(buffer_.begin() + used_ + header_size, header->size);
        used_ += wanted;
        return finish(*header, payload);
      }
    }
    if (used_) memmove(buffer_.begin(), buffer_.begin() + used_, have_ - used_);
    have_ -= used_;
    used_ = 0;
    if (!buffer_.resize(std::max(wanted, room))) return failed(receiving, ENOMEM);
    auto const got = receive_some({buffer_.begin() + have_, buffer_.size() - have_});
    if (!got) return fail(got);
    if (message_.descriptors.size()) return failed(receiving, EPROTO);
    if (*got == 0 && have_ == 0) return nullptr;
    if (*got == 0) return failed(receiving, EPROTO);
    have_ += *got;
  }
}

Result<Message *> Connection::receive(Deadline deadline, int stop) noexcept {
  for (;;) {
    // Waited for first: an answer, or the next question, is seldom there already.
    if (auto const ready = wait_for(in_, POLLIN, deadline, stop); !ready) {
      message_.descriptors.clear();
      return failed(receiving, ready.error().code);
    }
    auto const received = receive_now();
    if (received || (received.error().code != EAGAIN && received.error().code != EINTR)) return received;
  }
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
    if (kind_ == SOCK_DGRAM && sender_.size > 0) {
      header.msg_name = &sender_.address;
      header.msg_namelen = sender_.size;
    }
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
