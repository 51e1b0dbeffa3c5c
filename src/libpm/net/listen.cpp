#include "libpm/net/listen.h"
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>
#include "libpm/net/stale_socket.h"
#include "libpm/os/file_identity.h"
#include "libpm/os/lock.h"

namespace pm {

namespace {

constexpr char const *binding = "bind to";

/** SIOCUNIXFILE, whose header conflicts with sys/un.h. It opens the file of a bound socket with O_PATH. Linux 4.11. */
constexpr unsigned long file_of_socket = SIOCPROTOPRIVATE;

/** IPV6_FREEBIND of linux/in6.h, which conflicts with netinet/in.h. Linux 4.15. */
constexpr int ipv6_freebind = 78;

/** How often to start again when the path has changed after the check. */
constexpr int rounds = 8;
/** How long to wait for another server that starts, in ms. A process that holds the lock longer only causes this delay. */
constexpr uint32_t lock_wait = 1000;

/** The directory of a path, and the name in it. */
struct SplitPath {
  Text<local_path_max + 1> directory;
  char const *name;
};

SplitPath split(char const *path) noexcept {
  char const *const slash = ::strrchr(path, '/');
  if (!slash) return {Text<local_path_max + 1>("."), path};
  return {Text<local_path_max + 1>({path, static_cast<size_t>(slash + 1 - path)}), slash + 1};
}

int bind_with_mode(int fd, SockAddr const &name, mode_t mode) noexcept {
  mode_t const before = sys::umask(~mode & 0777);
  int const bound = sys::bind(fd, name.get(), name.size());
  sys::umask(before);
  return bound;
}

/** Whether the path still leads to the socket. */
Result<bool> is_at_path(BoundSocket const &bound, SockAddr const &name) noexcept {
  if (name.is_abstract()) return true;
  struct stat st;
  if (sys::fstatat(AT_FDCWD, name.path(), &st, AT_SYMLINK_NOFOLLOW) == 0)
    return st.st_dev == bound.device && st.st_ino == bound.inode;
  if (errno == ENOENT) return false;
  return failed("keep");
}

/**
 * Sets the owner, then the mode, of the socket's own file. EADDRINUSE: the path leads to another file by now. A process that waits for
 * the server notices this change (PathWatch), so it comes after listen(2).
 */
Done give_to_owner(BoundSocket const &bound, SockAddr const &name, BindOptions const &options) noexcept {
  constexpr char const *giving = "give to its owner";
  Fd const file(sys::openat(AT_FDCWD, name.path(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  struct stat st;
  if (!file.valid() || sys::fstat(file.get(), &st) < 0) return failed(giving);
  if (st.st_dev != bound.device || st.st_ino != bound.inode) return failed("keep", EADDRINUSE);
  Text<32> const link = Text<32>("/proc/self/fd/") << file.get();
  if ((options.owner || options.group) && sys::fchownat(file.get(), "", options.owner.value_or(static_cast<uid_t>(-1)),
                                                        options.group.value_or(static_cast<gid_t>(-1)), AT_EMPTY_PATH) < 0)
    return failed(giving);
  return sys::fchmodat(AT_FDCWD, link.c_str(), options.mode, 0) < 0 ? Done(failed(giving)) : Done();
}

Done bind_replacing(int fd, SockAddr const &name, BindOptions const &options) noexcept {
  // Until the socket has its owner the mode is 0, so that no other user can connect.
  mode_t const mode = options.owner || options.group ? 0 : options.mode;
  if (bind_with_mode(fd, name, mode) == 0) return {};
  if (errno != EADDRINUSE || !options.replace || name.is_abstract()) return failed(binding);
  // The lock makes servers that start at the same time take turns, so that none sets another's path aside. Without it, where the
  // directory cannot be locked, that can happen, and the server reports it.
  auto const directory = split(name.path()).directory;
  auto const lock = Lock::take_directory(AT_FDCWD, directory.c_str(), time_limit(lock_wait));
  if (lock) remove_leftover_sockets(directory.c_str(), options.owner.value_or(::geteuid()));
  for (int round = 0; round < rounds; ++round) {
    if (auto const removed = remove_dead_socket(name.path(), binding); !removed) return removed;
    if (bind_with_mode(fd, name, mode) == 0) return {};
    if (errno != EADDRINUSE) break;
  }
  return failed(binding);
}

} // namespace

Done find_file(BoundSocket &bound, SockAddr const &name) noexcept {
  if (name.is_abstract()) return {};
  struct stat st;
  // The ioctl finds the socket's own file, even if another server has replaced it at the path without any check.
  Fd const file(sys::ioctl(bound.fd.get(), file_of_socket, nullptr));
  if (!file.valid() || sys::fstat(file.get(), &st) < 0)
    if (sys::fstatat(AT_FDCWD, name.path(), &st, AT_SYMLINK_NOFOLLOW) < 0) return failed("keep");
  if (!S_ISSOCK(st.st_mode)) return failed("keep", EADDRINUSE);
  bound.device = st.st_dev;
  bound.inode = st.st_ino;
  return {};
}

void remove_path(BoundSocket const &bound, SockAddr const &name) noexcept {
  if (name.is_abstract()) return;
  auto const [directory, file] = split(name.path());
  // Another user may replace the directory between the two calls, but not what a descriptor of it refers to. At the limit of descriptors
  // there is none.
  Fd const opened(sys::openat(AT_FDCWD, directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  int const dir = opened.valid() ? opened.get() : AT_FDCWD;
  char const *const path = opened.valid() ? file : name.path();
  struct stat st;
  if (sys::fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == bound.device && st.st_ino == bound.inode)
    sys::unlinkat(dir, path, 0);
}

namespace {

Done listen_at_path(BoundSocket const &bound, SockAddr const &name, BindOptions const &options) noexcept {
  bool const listens = options.backlog && options.type != SOCK_DGRAM, is_given = options.owner || options.group;
  if (listens && sys::listen(bound.fd.get(), static_cast<int>(options.backlog)) < 0) return failed("listen on");
  if (name.is_abstract() || (!listens && !is_given)) return {};
  auto const given = give_to_owner(bound, name, options);
  // Without an owner, bind(2) has set the mode already, and only the notice is lost.
  return is_given ? given : Done();
}

Result<BoundSocket> bind_local(SockAddr const &name, BindOptions const &options) noexcept {
  BoundSocket bound;
  bound.fd.reset(sys::socket(AF_UNIX, options.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!bound.fd.valid()) return failed("make a socket for");
  int const yes = 1;
  if (options.credentials && options.type == SOCK_DGRAM &&
      sys::setsockopt(bound.fd.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0)
    return failed("set SO_PASSCRED on");
  if (auto const done = bind_replacing(bound.fd.get(), name, options); !done) return fail(done);
  if (auto const found = find_file(bound, name); !found) return fail(found);
  auto ready = listen_at_path(bound, name, options);
  if (ready) {
    // A server that took this one for dead before it listened has replaced the path by now.
    auto const kept = is_at_path(bound, name);
    if (!kept) ready = fail(kept);
    else if (!*kept) return failed("keep", EADDRINUSE);
  }
  if (ready) return bound;
  remove_path(bound, name);
  return fail(ready);
}

Result<BoundSocket> bind_ip(SockAddr const &name, BindOptions const &options) noexcept {
  BoundSocket bound;
  bound.fd.reset(sys::socket(name.family(), name.type() | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int const fd = bound.fd.get();
  if (fd < 0) return failed("make a socket for");
  auto const set = [&](int level, int option, int value) noexcept {
    return sys::setsockopt(fd, level, option, &value, sizeof value) == 0;
  };
  bool const stream = name.type() == SOCK_STREAM, v6 = name.family() == AF_INET6;
  // Not for datagrams: with SO_REUSEADDR any process of the same user could take the port over, socket(7).
  if ((stream && options.replace && !set(SOL_SOCKET, SO_REUSEADDR, 1)) || (options.share && !set(SOL_SOCKET, SO_REUSEPORT, 1)) ||
      (v6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6)) || (options.destination && !report_destination(fd, name.family())))
    return failed("prepare a socket for");
  if (options.freebind && !set(v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? ipv6_freebind : IP_FREEBIND, 1))
    return failed("set IP_FREEBIND for");
  if (options.interface &&
      sys::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options.interface, static_cast<socklen_t>(strlen(options.interface))) < 0)
    return failed("use the interface of -i for");
  if (stream && options.keepalive &&
      (!set(SOL_SOCKET, SO_KEEPALIVE, 1) ||
       (*options.keepalive && !set(IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(*options.keepalive)))))
    return failed("set SO_KEEPALIVE for");
  if (sys::bind(fd, name.get(), name.size()) < 0) return failed(binding);
  if (stream && options.backlog && sys::listen(fd, static_cast<int>(options.backlog)) < 0) return failed("listen on");
  return bound;
}

} // namespace

Result<BoundSocket> bind_socket(SockAddr const &name, BindOptions const &options) noexcept {
  return name.is_local() ? bind_local(name, options) : bind_ip(name, options);
}

Result<SockAddr> adopt_socket(int fd, char const *doing) noexcept {
  auto const option = [fd](int which, int &value) noexcept {
    socklen_t size = sizeof value;
    return sys::getsockopt(fd, SOL_SOCKET, which, &value, &size) == 0;
  };
  int type = 0, listens = 0;
  if (!option(SO_TYPE, type) || !option(SO_ACCEPTCONN, listens)) return failed(doing);
  bool const datagrams = type == SOCK_DGRAM;
  auto own = SockAddr::of_socket(fd, doing);
  if (!own) return own;
  if (!own->is_local() && !own->is_ip()) return failed(doing, EAFNOSUPPORT);
  // The kernel delivers no datagrams to an IP socket that is not bound.
  bool const is_bound = own->is_local() || own->port() != 0;
  if (datagrams ? !is_bound : !listens) return failed(doing, EINVAL);
  own->set_type(type);
  if (sys::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return failed(doing);
  return own;
}

bool report_destination(int fd, int family) noexcept {
  int const yes = 1;
  bool const v6 = family == AF_INET6;
  return sys::setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, &yes, sizeof yes) == 0;
}

bool is_same_socket(int a, int b) noexcept {
  auto const of_a = identify_file(a), of_b = identify_file(b);
  return of_a && of_b && *of_a == *of_b;
}

} // namespace pm
