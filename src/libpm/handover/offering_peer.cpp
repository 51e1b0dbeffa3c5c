#include "libpm/handover/offering_peer.h"

namespace pm::handover {

Result<message::Message *> OfferingPeer::receive() noexcept {
  auto received = channel_.receive_now();
  if (!received && received.error().code == EINTR) received.error().code = EAGAIN;
  return received;
}

template <class Answer>
Done OfferingPeer::answer(Answer const &value) noexcept {
  answered_ = true;
  deadline_ = Deadline::in(patience_);
  return channel_.send(value, Deadline::passed());
}

Done OfferingPeer::accept() noexcept {
  return answer(Taken{});
}

void OfferingPeer::refuse(std::string_view why) noexcept {
  (void)answer(NotTaken{why.substr(0, 255)});
}

void OfferingPeer::turn_away() noexcept {
  (void)answer(NoRoom{});
}

} // namespace pm::handover
