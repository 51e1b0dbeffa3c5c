/** Bytes and descriptors over Unix sockets, as they are: no frame, no type. What everything else here is made of. */
#ifndef PM_MESSAGE_PASSING_H
#define PM_MESSAGE_PASSING_H

#include <pm/base/local_socket.h>
#include <pm/base/result.h>
#include <pm/base/time.h>
#include <pm/message/descriptors.h>
#include <string_view>

namespace pm::message {

/** Who sent a datagram: its socket's address, to answer to. */
struct Sender {
  struct sockaddr_un address;
  socklen_t size;
  struct ucred credentials; /**< pid 0 where the kernel was not asked to tell (SO_PASSCRED) */
};

/**
 * One recvmsg(2) without waiting: how many bytes; what came with them is added to `descriptors`, close-on-exec. EAGAIN.
 * EMFILE: there was no room for the descriptors (MSG_CTRUNC); EPROTO: more than descriptors_max; EMSGSIZE: a packet longer
 * than `room`. What came is in `descriptors` even then.
 */
[[nodiscard]] Result<size_t> receive_once(int socket, std::span<char> room, Descriptors &descriptors, Sender &sender) noexcept;

/** One sendmsg(2) without waiting, and without a SIGPIPE: how many bytes; the descriptors go with the first. `to`: null on what is connected. */
[[nodiscard]] Result<size_t> send_once(int socket, std::string_view bytes, std::span<int const> descriptors,
                                       LocalName const *to = nullptr) noexcept;

/** As send_fds(), of what is known to be right: no more than descriptors_max, and a byte for them. */
[[nodiscard]] Done send_all(int socket, std::string_view bytes, std::span<int const> descriptors, Deadline deadline, int stop,
                            LocalName const *to) noexcept;

/**
 * Sends bytes and descriptors, which stay the caller's: a stream takes as many pieces as it needs, a packet goes whole. A
 * datagram or a packet may be empty and have descriptors; on a stream they need a byte to go with: EINVAL. `to`: whom a
 * datagram is for, null on a connected socket. EMSGSIZE: more than descriptors_max. ETIMEDOUT, ECANCELED (`stop` is readable), EPIPE.
 */
[[nodiscard]] Done send_fds(int socket, std::string_view bytes, std::span<int const> descriptors, Deadline deadline,
                            int stop = -1, LocalName const *to = nullptr) noexcept;
/** The same, of one datagram, to the socket at `path` (/PATH, a relative path or @NAME), from a socket made for it. */
[[nodiscard]] Done send_fds_to(std::string_view path, std::string_view bytes, std::span<int const> descriptors, Deadline deadline,
                               int stop = -1) noexcept;

/** What receive_fds() got. */
struct Came {
  size_t size = 0;  /**< bytes */
  bool end = false; /**< the end of the connection: never said of a datagram, nor where descriptors came */
  Sender sender = {};
};

/**
 * Waits for bytes, or a packet, and owns the descriptors that come with it; what `descriptors` had before is closed. A
 * datagram of no bytes is one all the same. Errors as receive_once() and send_fds(); after one, no descriptor is kept.
 */
[[nodiscard]] Result<Came> receive_fds(int socket, std::span<char> room, Descriptors &descriptors, Deadline deadline,
                                       int stop = -1) noexcept;

} // namespace pm::message

#endif
