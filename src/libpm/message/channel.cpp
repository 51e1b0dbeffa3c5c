#include "libpm/message/channel.h"

#include "libpm/os/stream.h"
#include "libpm/os/sys.h"

namespace pm::message {

Result<Message *> Channel::receive(Limit limit) noexcept {
  // The message has seldom arrived yet, so wait before the first read, unless bytes of it were read with the last message.
  for (bool wait = !reader_.has_more();; wait = true) {
    auto const ready = wait ? wait_for(in_, POLLIN, limit) : Done();
    if (!ready) {
      reader_.clear();
      return failed("receive a message", ready.error().code);
    }
    auto const received = reader_.next();
    if (received || received.error().code != EAGAIN) return received;
  }
}

Done Channel::send_all(Limit limit) noexcept {
  auto const &sender = reader_.sender();
  bool const answers_datagram = reader_.is_datagram() && sender.size > 0;
  auto const to = answers_datagram ? SockAddr::copy(&sender.address, sender.size) : SockAddr();
  for (;;) {
    auto sent = writer_.send(out_, answers_datagram ? &to : nullptr);
    if (!sent && sent.error().code == EAGAIN) {
      auto const ready = wait_for(out_, POLLOUT, limit);
      if (ready) continue;
      sent.error().code = ready.error().code;
    }
    writer_.clear();
    return sent;
  }
}

} // namespace pm::message
