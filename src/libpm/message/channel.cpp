#include "libpm/message/channel.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include "libpm/os/stream.h"
#include "libpm/os/sys.h"

namespace pm::message {

namespace {
constexpr char const *receiving = "receive a message", *sending = "send a message";
}

Result<Message *> Channel::receive(Limit limit) noexcept {
  // The message has seldom arrived yet, so wait before the first read, unless bytes of it were read with the last message.
  for (bool wait = !reader_.has_more();; wait = true) {
    auto const ready = wait ? wait_for(in_, POLLIN, limit) : Done();
    if (!ready) {
      reader_.clear();
      return failed(receiving, ready.error().code);
    }
    auto const received = reader_.next();
    if (received || (received.error().code != EAGAIN && received.error().code != EINTR)) return received;
  }
}

Done Channel::send(uint32_t type, std::string_view payload, std::span<int const> descriptors, Limit limit) noexcept {
  if (payload.size() > payload_max || descriptors.size() > descriptors_max) return failed(sending, EMSGSIZE);
  List<char> frame;
  if (!frame.resize(header_size) || !append(frame, payload)) return failed(sending, ENOMEM);
  write_header(frame.begin(), {type, static_cast<uint32_t>(payload.size()), static_cast<uint32_t>(descriptors.size())});
  return send_frame(frame, descriptors, limit);
}

Done Channel::send_frame(List<char> const &frame, std::span<int const> descriptors, Limit limit) noexcept {
  auto const &sender = reader_.sender();
  bool const answers_datagram = reader_.is_datagram() && sender.size > 0;
  auto const to = SockAddr::copy(&sender.address, sender.size);
  return send_all(out_, {frame.begin(), frame.size()}, descriptors, limit, answers_datagram ? &to : nullptr);
}

bool Channel::is_delivered() const noexcept {
  int unread = 0;
  return sys::ioctl(out_, SIOCOUTQ, &unread) == 0 && unread == 0;
}

} // namespace pm::message
