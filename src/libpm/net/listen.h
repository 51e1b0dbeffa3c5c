/** Sockets that receive connections or datagrams: bound by this process, or given to it. */
#pragma once

#include <sys/socket.h>
#include <sys/stat.h>
#include "libpm/net/sock_addr.h"
#include "libpm/os/sys.h"
#include "libpm/util/result.h"

namespace pm {

/** The longest backlog: the kernel lowers it to net.core.somaxconn, listen(2). SOMAXCONN of the C library is only its default. */
inline constexpr uint32_t longest_backlog = INT32_MAX;

struct BindOptions {
  int type = SOCK_STREAM; /**< of a Unix socket: also SOCK_SEQPACKET, or SOCK_DGRAM, which does not listen */
  mode_t mode = 0777;     /**< permissions of a Unix socket's path; the umask does not apply */
  std::optional<uid_t> owner = {};
  std::optional<gid_t> group = {};
  uint32_t backlog = 128; /**< 0: the socket is bound, but does not listen */
  /** Replaces a path that a dead server left, and uses a TCP port whose old connections are in TIME_WAIT (SO_REUSEADDR). */
  bool replace = true;
  bool share = false;              /**< IP: other sockets with SO_REUSEPORT may bind the same port */
  bool only_v6 = true;             /**< tcp6 and udp6: the socket receives no IPv4 */
  bool destination = false;        /**< udp and udp6: as report_destination() */
  bool freebind = false;           /**< IP: the address need not be one of this host's (IP_FREEBIND) */
  char const *interface = nullptr; /**< IP: receives only what comes by this network interface (SO_BINDTODEVICE); borrowed */
  /**
   * tcp and tcp6: the kernel asks a peer that was silent for so many seconds whether it is there (SO_KEEPALIVE, TCP_KEEPIDLE); 0: for as long
   * as the host is configured to wait. The connections of a listening socket inherit it, tcp(7).
   */
  std::optional<uint32_t> keepalive = {};
  bool credentials = false; /**< Unix datagrams: the kernel adds the sender's credentials to each (SO_PASSCRED) */
};

/** A socket with a name, and the file at its path. */
struct BoundSocket {
  Fd fd; /**< non-blocking, close-on-exec */
  dev_t device = 0;
  ino_t inode = 0;
};

/**
 * Binds a socket to `name`. It listens, unless it is a datagram socket. EADDRINUSE: a server uses the name, or `replace` is false
 * and the path exists. EEXIST: the file at the path is not a socket. EACCES and the other errors of connect(2): a server may be
 * using the path. EAFNOSUPPORT, EADDRNOTAVAIL: this host has no such address. ENODEV: it has no such
 * interface. After an error the path is as it was. The last change of
 * the path's mode comes after listen(2): a process that waits for the server by inotify(7) connects then.
 */
[[nodiscard]] Result<BoundSocket> bind_socket(SockAddr const &name, BindOptions const &options) noexcept;

/**
 * Finds the file of a Unix socket that is bound to `name`. The kernel reports the file only to a process with CAP_NET_ADMIN;
 * other processes take the file at the path.
 */
[[nodiscard]] Done find_file(BoundSocket &bound, SockAddr const &name) noexcept;

/**
 * Removes the path of `bound`, if it still leads to this socket. Call it while the socket is open: then no other server replaces
 * the path. Between the look at the path and its removal, a user who may write in the directory can put another file of this directory
 * there, which is removed then.
 */
void remove_path(BoundSocket const &bound, SockAddr const &name) noexcept;

/**
 * Checks a socket that this process was given, and makes it close-on-exec. Returns its address and type. Before accepting from it, make
 * it non-blocking with NonBlockingSockets. EINVAL: it is neither a listening socket nor a bound datagram socket. EAFNOSUPPORT: it is
 * neither an IP nor a Unix socket. ENOTSOCK.
 */
[[nodiscard]] Result<SockAddr> adopt_socket(int fd, char const *doing) noexcept;

/** Makes the kernel report the destination address of each datagram on a udp or udp6 socket (IP_PKTINFO, IPV6_PKTINFO). */
[[nodiscard]] bool report_destination(int fd, int family) noexcept;

/** Whether two descriptors refer to one socket: the same device and inode. Asks no file server. */
[[nodiscard]] bool is_same_socket(int a, int b) noexcept;

} // namespace pm
