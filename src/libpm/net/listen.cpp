#include "libpm/net/listen.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <unistd.h>
#include "libpm/os/directory.h"
#include "libpm/os/lock.h"
#include "libpm/os/random.h"

namespace pm {

namespace {

constexpr char const *binding = "bind to";

/** SIOCUNIXFILE, whose header conflicts with sys/un.h. It opens the file of a bound socket with O_PATH. Linux 4.11. */
constexpr unsigned long file_of_socket = SIOCPROTOPRIVATE;

/** How often to start again when the path has changed after the check. */
constexpr int rounds = 8;
/** How long to wait for another server that starts, in ms. A process that holds the lock longer only causes this delay. */
constexpr uint32_t lock_wait = 1000;

/** How the name of a socket begins that is set aside. */
constexpr std::string_view aside_prefix = ".pm-stale.";

/** The directory of the socket, and a path in it where the socket is set aside. */
struct Aside {
  Text<local_path_max + 64> directory, path;
};

Result<Aside> make_aside(char const *path) noexcept {
  auto const random = random_bits();
  if (!random) return fail(random);
  std::string_view const whole = path;
  size_t const slash = whole.rfind('/');
  Aside aside;
  if (slash != std::string_view::npos) aside.directory << std::string_view(path, slash + 1);
  aside.path << aside.directory.view() << aside_prefix << ::getpid() << '.' << *random;
  if (slash == std::string_view::npos) aside.directory << '.';
  return aside;
}

/** Succeeds if no server uses the socket `path`. EADDRINUSE: a server uses it. Other errors: the test failed. */
Done is_dead(std::string_view path) noexcept {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // The path aside may be too long for an address. Then use its descriptor.
  Fd file;
  Text<sizeof address.sun_path> link("/proc/self/fd/");
  if (path.size() >= sizeof address.sun_path) {
    file.reset(sys::openat(AT_FDCWD, path.data(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!file.valid()) return failed("look at");
    link << file.get();
    path = link.view();
  }
  memcpy(address.sun_path, path.data(), path.size());
  // A datagram socket cannot connect to a stream socket, but the error tells whether a server has it open. So the test makes no
  // connection to the server, and a server that does not listen yet is not taken for dead.
  Fd const probe(sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.valid()) return failed("make a socket for");
  int const connected = sys::connect(probe.get(), reinterpret_cast<struct sockaddr const *>(&address), sizeof address);
  if (connected == 0 || errno == EPROTOTYPE || errno == EAGAIN) return failed(binding, EADDRINUSE);
  if (errno != ECONNREFUSED) return failed("test for a server at");
  return {};
}

/**
 * Sets a dead socket aside and unlinks it there, so that only the checked socket can be removed. Also succeeds if the path was
 * replaced meanwhile: the next bind(2) finds that out.
 */
Done remove_dead(char const *path) noexcept {
  struct stat before, after;
  if (sys::fstatat(AT_FDCWD, path, &before, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return {};
    return failed("look at");
  }
  if (!S_ISSOCK(before.st_mode)) return failed("replace a file with the socket", EEXIST);
  if (auto const dead = is_dead(path); !dead) {
    if (dead.error().code == ENOENT) return {};
    return dead;
  }
  auto const aside = make_aside(path);
  if (!aside) return fail(aside);
  char const *const there = aside->path.c_str();
  if (sys::renameat(AT_FDCWD, path, AT_FDCWD, there) < 0) {
    if (errno == ENOENT) return {};
    return failed("replace");
  }
  bool const same = sys::fstatat(AT_FDCWD, there, &after, AT_SYMLINK_NOFOLLOW) == 0 && after.st_dev == before.st_dev &&
                    after.st_ino == before.st_ino;
  Done const dead = same ? is_dead(aside->path.view()) : Done(failed(binding, EADDRINUSE));
  if (!dead) {
    // A server has started meanwhile. Restore its path, unless another server has the path by now.
    if (sys::renameat2(AT_FDCWD, there, AT_FDCWD, path, RENAME_NOREPLACE) < 0) return failed("put back");
    return dead;
  }
  if (sys::unlinkat(AT_FDCWD, there, 0) < 0) {
    auto const failure = failed("remove the dead socket of");
    // Restore the path, and leave no other file behind.
    sys::renameat2(AT_FDCWD, there, AT_FDCWD, path, RENAME_NOREPLACE);
    return failure;
  }
  return {};
}

/**
 * Removes the dead sockets of `owner` that killed servers have set aside. Ignores errors: nothing needs their names. A server that
 * replaces a path meanwhile has the directory's lock.
 */
void remove_leftovers(char const *directory, uid_t owner) noexcept {
  (void)each_entry(AT_FDCWD, directory, [=](int dir, char const *name, unsigned char) noexcept -> Done {
    if (!std::string_view(name).starts_with(aside_prefix)) return {};
    struct stat st;
    // Another user's are passed over: any number of them may be in a directory that others may write.
    if (sys::fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISSOCK(st.st_mode) || st.st_uid != owner) return {};
    Text<local_path_max + 300> path;
    path << directory << '/' << name;
    if (is_dead(path.view())) sys::unlinkat(dir, name, 0);
    return {};
  });
}

int bind_with_mode(int fd, SockAddr const &name, mode_t mode) noexcept {
  mode_t const before = sys::umask(~mode & 0777);
  int const bound = sys::bind(fd, name.get(), name.size());
  sys::umask(before);
  return bound;
}

/** Whether the path still leads to the socket. */
Result<bool> is_at_path(BoundSocket const &bound, SockAddr const &name) noexcept {
  struct stat st;
  if (name.is_abstract()) return true;
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
  auto const aside = make_aside(name.path());
  if (!aside) return fail(aside);
  auto const lock = Lock::take_directory(AT_FDCWD, aside->directory.c_str(), Deadline::in(lock_wait));
  if (lock) remove_leftovers(aside->directory.c_str(), options.owner.value_or(::geteuid()));
  for (int round = 0; round < rounds; ++round) {
    if (auto const removed = remove_dead(name.path()); !removed) return removed;
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
  if (!name.is_abstract() && is_at_path(bound, name).value_or(false)) sys::unlinkat(AT_FDCWD, name.path(), 0);
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
  bool const stream = name.type() == SOCK_STREAM;
  // Not for datagrams: with SO_REUSEADDR any process of the same user could take the port over, socket(7).
  if ((stream && options.replace && !set(SOL_SOCKET, SO_REUSEADDR, 1)) || (options.share && !set(SOL_SOCKET, SO_REUSEPORT, 1)) ||
      (name.family() == AF_INET6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6)) ||
      (options.destination && !report_destination(fd, name.family())))
    return failed("prepare a socket for");
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
  struct stat of_a, of_b;
  return sys::fstat(a, &of_a) == 0 && sys::fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

} // namespace pm
