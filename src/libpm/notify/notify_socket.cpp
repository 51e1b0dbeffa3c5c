#include "libpm/notify/notify_socket.h"

#include <unistd.h>
#include "libpm/message/passing.h"
#include "libpm/os/random.h"
#include "libpm/os/sys.h"
#include "libpm/os/time.h"

namespace pm::notify {

Result<NotifySocket> NotifySocket::make() noexcept {
  constexpr char const *doing = "make a socket for messages";
  NotifySocket made;
  // Not by autobind, unix(7): that gives a name to a later socket again. Early at boot there are no random bits.
  made.name_ << "@pm-sdnotify-" << ::getpid() << '-';
  append_hexadecimal(made.name_, random_bits().value_or(boottime()), 16);
  auto const name = SockAddr::of_path(made.name_.view());
  made.fd_.reset(sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  // Before it is bound, so that each message has credentials.
  int const yes = 1;
  if (!name || !made.fd_.valid() || sys::setsockopt(made.fd(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0 ||
      sys::bind(made.fd(), name->get(), name->size()) < 0)
    return failed(doing);
  return made;
}

Result<struct ucred> NotifySocket::sender() const noexcept {
  return message::peek_credentials(fd());
}

Result<std::string_view> NotifySocket::receive(message::Descriptors *descriptors) noexcept {
  constexpr char const *receiving = "receive a message";
  size_t size = 0;
  if (descriptors) {
    auto const received = message::receive_once(fd(), bytes_, *descriptors, message::descriptors_max, nullptr);
    if (!received) return fail(received);
    size = *received;
  } else {
    struct iovec part = {bytes_, sizeof bytes_};
    struct msghdr header = {};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    ssize_t const n = sys::recvmsg(fd(), &header, MSG_DONTWAIT);
    if (n < 0) return failed(receiving);
    size = static_cast<size_t>(n);
  }
  if (size > message_max) return failed(receiving, EMSGSIZE);
  return std::string_view(bytes_, size);
}

} // namespace pm::notify
