/** One call of sendmsg(2) or recvmsg(2), with descriptors. */
#pragma once

#include <pm/passing.h>
#include "libpm/net/sock_addr.h"
#include "libpm/util/result.h"

namespace pm::message {

/**
 * Receives once, without waiting, and appends the descriptors that arrive. Returns the number of bytes. EAGAIN; EMFILE: there was
 * no room for the descriptors (MSG_CTRUNC); EPROTO: there are more than `most`, of which the kernel closes the rest, or more than
 * descriptors_max in `descriptors`; EMSGSIZE: the packet is longer than `room`. Even after an error `descriptors` owns the
 * descriptors that arrived, and the caller closes them. `sender`: null: not wanted.
 */
[[nodiscard]] Result<size_t> receive_once(int socket, std::span<char> room, Descriptors &descriptors, size_t most,
                                          Sender *sender) noexcept;

/**
 * The credentials of the next datagram's sender, pid 0 if the socket does not have SO_PASSCRED. The datagram stays in the socket,
 * and its descriptors are not received. Does not wait: EAGAIN.
 */
[[nodiscard]] Result<struct ucred> peek_credentials(int socket) noexcept;

/**
 * Sends once, without waiting and without a SIGPIPE, and returns the number of bytes that were sent. The descriptors go with the
 * first byte. `to`: null on a connected socket.
 */
[[nodiscard]] Result<size_t> send_once(int socket, std::string_view bytes, std::span<int const> descriptors,
                                       SockAddr const *to = nullptr) noexcept;

/** Whether the peer has read all bytes that were sent, SIOCOUTQ of unix(7). */
[[nodiscard]] bool is_delivered(int socket) noexcept;

/** As send_fds(), for valid arguments: at most descriptors_max descriptors, and on a stream a byte that they can go with. */
[[nodiscard]] Done send_all(int socket, std::string_view bytes, std::span<int const> descriptors, Limit limit,
                            SockAddr const *to = nullptr) noexcept;

} // namespace pm::message
