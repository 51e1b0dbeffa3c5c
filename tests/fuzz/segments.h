/** What goes through a socket in a fuzz target, and what is open after it. */
#ifndef PM_TESTS_SEGMENTS_H
#define PM_TESTS_SEGMENTS_H

#include "../lib/any_protocol.h"
#include "../lib/descriptors.h"
#include "fuzz.h"

#include <string.h>
#include <unistd.h>
#include "libpm/message/channel.h"

namespace {

using namespace pm;
using namespace pm::message;

constexpr int any = 2;

/** False when it is full: nothing is lost by a shorter input. */
bool send_segment(int socket, std::string_view bytes, size_t descriptors) noexcept {
  alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * descriptors_max)] = {};
  struct iovec part = {const_cast<char *>(bytes.data()), bytes.size()};
  struct msghdr header = {};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (descriptors) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * descriptors);
    auto *const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_len = CMSG_LEN(sizeof(int) * descriptors);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    // Not the socket itself: whoever holds that waits for its end in vain, until his deadline.
    for (size_t i = 0; i < descriptors; ++i) memcpy(CMSG_DATA(rights) + i * sizeof(int), &any, sizeof any);
  }
  return ::sendmsg(socket, &header, MSG_NOSIGNAL | MSG_DONTWAIT) == static_cast<ssize_t>(bytes.size());
}

} // namespace

#endif
