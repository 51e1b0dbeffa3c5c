/** Listening on sockets without stealing their paths, and removing what one made oneself. */
#ifndef PM_SUPER_BIND_H
#define PM_SUPER_BIND_H

#include <pm/base/fd.h>
#include <pm/base/listen_fds.h>
#include <pm/base/result.h>
#include <pm/base/socket_address.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace pm::super {

struct BindOptions {
  int type = SOCK_STREAM; /**< of a local one, or SOCK_SEQPACKET, or SOCK_DGRAM, which does not listen */
  mode_t mode = 0777;     /**< of the path, exactly, whatever the umask is */
  std::optional<uid_t> owner;
  std::optional<gid_t> group;
  uint32_t backlog = 128; /**< 0: bound, but not listening */
  bool replace =
      true; /**< a path that a dead server has left; of tcp and tcp6, a port whose connections still wait (SO_REUSEADDR) */
  bool share = false;       /**< of IP: the port, with whoever else says so (SO_REUSEPORT) */
  bool only_v6 = true;      /**< of tcp6 and udp6: no IPv4 */
  bool say_address = false; /**< to standard output, once all are bound */
  bool credentials = false; /**< the kernel writes on each datagram who sent it, from the first (SO_PASSCRED) */
};

/** A socket with a name, and the file that is its path. */
struct BoundSocket {
  Fd fd; /**< non-blocking, close-on-exec */
  dev_t device = 0;
  ino_t inode = 0;
};

/**
 * Binds and listens. EADDRINUSE: a server lives there, or a path is there that is not to be replaced. EEXIST: a path that is no
 * socket. EACCES and whatever else connect(2) says: nobody can tell whether a server lives there. In each case what was
 * there is as it was.
 */
[[nodiscard]] Result<BoundSocket> bind_local(LocalAddress const &name, BindOptions const &options) noexcept;

/** The same of IPv4 and IPv6. */
[[nodiscard]] Result<BoundSocket> bind_ip(SocketAddress const &name, BindOptions const &options) noexcept;

/** Of a socket that is bound: its file. The kernel tells it to whoever may ask (CAP_NET_ADMIN); others have to look at the path. */
[[nodiscard]] Done find_file(BoundSocket &bound, LocalAddress const &name) noexcept;

/** Removes the path of `bound` if it is still its own, and it may be; call it while the socket is open, which keeps others from replacing it. */
void remove_path(BoundSocket const &bound, LocalAddress const &name) noexcept;

/** The sockets of a command line: all of them, or none. */
class Bindings {
 public:
  /** Whether there are listen_fds_max of them. */
  [[nodiscard]] bool full() const noexcept { return size_ == listen_fds_max; }
  /** One more. `name`: what it is called, empty if it is the only one; `written`: its address as it was written. Not when full(). */
  void add(std::string_view name, SocketAddress const &address, char const *written) noexcept;
  /** One that was given to this process by LISTEN_FDS, under another name: each in its turn, and each of them. Not when full(). */
  void add_outer(std::string_view name) noexcept;

  /** A local one that another has bound for this process alone: its path is to be removed as if it was bound here. Not when full(). */
  [[nodiscard]] Done adopt(SocketAddress const &address, int fd) noexcept;

  /** Binds them all, those of LISTEN_FDS being bound: EINVAL when they are not as many as are to be taken; what was bound is undone when one cannot be, or when their addresses cannot be said. */
  [[nodiscard]] Done bind(BindOptions const &options) noexcept;
  /** Which one has failed, as it was written. */
  [[nodiscard]] char const *failed_at() const noexcept { return written_[bound_]; }
  void remove_paths() noexcept;

  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] Fd &fd(size_t i) noexcept { return sockets_[i].fd; }
  [[nodiscard]] std::span<std::string_view const> names() const noexcept { return {names_, size_}; }

 private:
  static constexpr char outer_[] = "the sockets of LISTEN_FDS";
  [[nodiscard]] Done take_outer() noexcept;

  /** Null where there are none: nothing of it is in a program that takes none. */
  Done (Bindings::*take_outer_sockets_)() noexcept = nullptr;
  size_t size_ = 0, bound_ = 0, outers_ = 0;
  SocketAddress addresses_[listen_fds_max];
  char const *written_[listen_fds_max + 1] = {};
  std::string_view names_[listen_fds_max];
  BoundSocket sockets_[listen_fds_max];
};

} // namespace pm::super

#endif
