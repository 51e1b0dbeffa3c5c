#include "libpm/net/first_datagram.h"

#include <string.h>
#include <sys/socket.h>
#include <algorithm>
#include "libpm/os/sys.h"

namespace pm {

namespace {

/** Makes the kernel report the time of arrival, and restores the setting of the program that has the socket at other times. */
class ArrivalTimes {
 public:
  explicit ArrivalTimes(int socket) noexcept : socket_(socket), micro_(is_on(SO_TIMESTAMP)), nano_(is_on(SO_TIMESTAMPNS)) {
    set(SO_TIMESTAMPNS, 1);
  }
  ArrivalTimes(ArrivalTimes const &) = delete;
  ArrivalTimes &operator=(ArrivalTimes const &) = delete;
  ~ArrivalTimes() {
    // Each of the two options replaces the other one.
    if (micro_) set(SO_TIMESTAMP, 1);
    else if (!nano_) set(SO_TIMESTAMPNS, 0);
  }

 private:
  [[nodiscard]] bool is_on(int option) const noexcept {
    int value = 0;
    socklen_t size = sizeof value;
    return sys::getsockopt(socket_, SOL_SOCKET, option, &value, &size) == 0 && value;
  }
  void set(int option, int value) const noexcept { sys::setsockopt(socket_, SOL_SOCKET, option, &value, sizeof value); }

  int socket_;
  bool micro_, nano_;
};

} // namespace

std::optional<FirstDatagram> FirstDatagram::look(int socket) noexcept {
  FirstDatagram datagram;
  struct iovec part = {datagram.start, sizeof datagram.start};
  // The time comes first, and leaves no room for descriptors, which this process does not want.
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof datagram.arrival)];
  struct msghdr header = {};
  header.msg_name = datagram.sender.room();
  header.msg_namelen = SockAddr::room_size;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t size;
  {
    ArrivalTimes const reported(socket);
    size = sys::recvmsg(socket, &header, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  }
  struct cmsghdr const *const time = size < 0 ? nullptr : CMSG_FIRSTHDR(&header);
  if (!time || time->cmsg_level != SOL_SOCKET || time->cmsg_type == SCM_RIGHTS) return std::nullopt;
  memcpy(datagram.arrival, CMSG_DATA(time), std::min<size_t>(time->cmsg_len - CMSG_LEN(0), sizeof datagram.arrival));
  datagram.size = static_cast<size_t>(size);
  datagram.sender.set_size(header.msg_namelen);
  datagram.sender.set_type(SOCK_DGRAM);
  return datagram;
}

void FirstDatagram::discard(int socket) noexcept {
  struct msghdr header = {};
  sys::recvmsg(socket, &header, MSG_DONTWAIT);
}

bool FirstDatagram::is_same(FirstDatagram const &other) const noexcept {
  return size == other.size && memcmp(arrival, other.arrival, sizeof arrival) == 0 &&
         memcmp(start, other.start, sizeof start) == 0;
}

} // namespace pm
