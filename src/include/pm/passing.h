/**
 * Descriptors of other processes: bytes and descriptors over Unix sockets, without frames or types; handing a descriptor over
 * to a worker; and the sockets of LISTEN_FDS. pm/connection.h has typed messages, and pm/events.h the worker's side.
 *
 * Descriptors owns the descriptors that arrived, Sender is the source of a datagram, ReceivedBytes is the result of one call.
 */
#ifndef PM_PASSING_H
#define PM_PASSING_H

#include <pm.h>
#include <pm/status.h>
#include <pm/types.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace pm {

namespace message {

/** The most descriptors in one message: the kernel's SCM_MAX_FD, unix(7). */
inline constexpr size_t descriptors_max = 253;

/** Owns the descriptors that arrived with a message. The caller may take them; the others are closed. */
class Descriptors {
 public:
  Descriptors() noexcept = default;
  Descriptors(Descriptors const &) = delete;
  Descriptors &operator=(Descriptors const &) = delete;
  ~Descriptors() { clear(); }

  [[nodiscard]] size_t size() const noexcept { return count_; }
  /** Moves the i-th descriptor to the caller. Invalid if the message has no i-th descriptor, or it was taken already. */
  [[nodiscard]] Fd take(size_t i) noexcept;
  /** Closes the descriptors that were not taken. */
  void clear() noexcept {
    for (; count_ > 0; --count_) Fd(fds_[count_ - 1]).reset();
  }
  /** Takes ownership of another descriptor. If there is no room, it closes the descriptor and returns false. */
  bool add(int fd) noexcept;
  /**
   * Moves the first `count` descriptors to `to`; `count` must not be larger than size(). If `to` has no room for one, it is
   * closed.
   */
  void give(size_t count, Descriptors &to) noexcept;
  /** All descriptors; -1 in the place of a taken one. If you take a descriptor from here, put -1 in its place. */
  [[nodiscard]] std::span<int> all() noexcept { return {fds_, count_}; }

 private:
  size_t count_ = 0;
  int fds_[descriptors_max];
};

} // namespace message

/** The address of the socket that sent a datagram, to answer to, and the credentials of its process. */
struct Sender {
  struct sockaddr_un address;
  socklen_t size;
  struct ucred credentials; /**< pid 0 if SO_PASSCRED is not set on the receiving socket */
};

/**
 * Sends bytes and descriptors; the caller still owns the descriptors. On a stream the bytes go in as many pieces as necessary; a
 * packet goes as a whole. A datagram or a packet may be empty and have descriptors. On a stream, descriptors need at least one
 * byte: EINVAL. `to` is the address of the receiver, for a datagram socket that is not connected. EMSGSIZE: more than
 * descriptors_max. EPIPE (without a signal); ETOOMANYREFS: too many descriptors of this user are in flight.
 */
[[nodiscard]] Outcome<void> send_fds(int socket, std::string_view bytes, std::span<int const> descriptors, Limit limit,
                                     struct sockaddr_un const *to = nullptr, socklen_t to_size = 0) noexcept;

/** Makes a socket, and sends one datagram from it to the socket at `path` (/PATH, a relative path or @NAME). */
[[nodiscard]] Outcome<void> send_fds_to(std::string_view path, std::string_view bytes, std::span<int const> descriptors,
                                        Limit limit) noexcept;

struct ReceivedBytes {
  size_t size = 0;
  bool end = false; /**< the peer has closed the connection; then there are no descriptors. Never on a datagram socket */
  Sender sender = {};
};

/**
 * Waits for bytes, or for a packet, and receives them with their descriptors. The descriptors that `descriptors` had before are
 * closed. A datagram may be empty. EMFILE: no room for the descriptors; EMSGSIZE: the packet is longer than `room`. After an
 * error no descriptor is kept.
 */
[[nodiscard]] Outcome<ReceivedBytes> receive_fds(int socket, std::span<char> room, message::Descriptors &descriptors,
                                                 Limit limit) noexcept;

/**
 * Hands a descriptor over to a worker that listens at `path`, as pm-fdpass(8) does: pm_hand_over() of pm.h. `users`: who may
 * run the worker, as well as root and this process's user. The caller keeps the descriptor. refused: the worker did not take
 * it.
 */
[[nodiscard]] inline Outcome<void> hand_over(char const *path, int fd, Limit limit, std::span<uid_t const> users = {}) noexcept {
  int const result = ::pm_hand_over(nullptr, path, fd, nullptr, users.data(), users.size(), timeout_of(limit), limit.stop);
  return result < 0 ? Outcome<void>(tl::unexpected<Error>(last_error())) : Outcome<void>();
}

/** Socket `i` of those that LISTEN_FDS gives to this process under this name; null: of all. not_found: there are not so many. */
[[nodiscard]] inline Outcome<int> listen_fd(char const *name, size_t i = 0) noexcept {
  int const fd = ::pm_listen_fd(name, i);
  return fd < 0 ? Outcome<int>(tl::unexpected<Error>(last_error())) : Outcome<int>(fd);
}

} // namespace pm

#endif
