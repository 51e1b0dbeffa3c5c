// Binding to a path, which a dead server may have left and a living one must keep.

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/sockios.h>
#include <pm/base/lock.h>
#include <pm/base/random.h>
#include <pm/super/bind.h>
#include <unistd.h>

namespace pm::super {

namespace {

constexpr char const *doing = "bind to";

/** SIOCUNIXFILE, whose header does not go with sys/un.h: the file of a bound socket, with O_PATH. Linux 4.11. */
constexpr unsigned long file_of_socket = SIOCPROTOPRIVATE;

/** How often a path may turn out to be another than the one just looked at. */
constexpr int rounds = 8;
/** How long another server that starts is waited for, ms. Whoever holds its lock for longer delays, and prevents nothing. */
constexpr uint32_t lock_wait = 1000;

/** The paths in one directory: where the socket's is, and where it is set aside. */
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
  aside.path << aside.directory.view() << ".pm-stale." << ::getpid() << '.' << *random;
  if (slash == std::string_view::npos) aside.directory << '.';
  return aside;
}

/** Nobody lives at the socket `path`. EADDRINUSE: somebody does; or it cannot be known, and why. */
Done is_dead(std::string_view path) noexcept {
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  // Where it was set aside the path may be longer than an address: then by its descriptor.
  Fd file;
  Text<sizeof address.sun_path> link("/proc/self/fd/");
  if (path.size() >= sizeof address.sun_path) {
    file.reset(sys::openat(AT_FDCWD, path.data(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!file.valid()) return failed("look at");
    link << file.get();
    path = link.view();
  }
  memcpy(address.sun_path, path.data(), path.size());
  // A datagram socket cannot connect to a stream socket, which is all that it is to find out: a server is not disturbed by
  // a connection, and one that does not listen yet is not taken for dead.
  Fd const probe(sys::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!probe.valid()) return failed("make a socket for");
  int const connected = sys::connect(probe.get(), reinterpret_cast<struct sockaddr const *>(&address), sizeof address);
  if (connected == 0 || errno == EPROTOTYPE || errno == EAGAIN) return failed(doing, EADDRINUSE);
  if (errno != ECONNREFUSED) return failed("find out whether a server lives at");
  return {};
}

/**
 * Sets a dead socket aside and unlinks it there, where only what was looked at can be. Done also when the path became another
 * meanwhile: the next bind will tell.
 */
Done remove_dead(char const *path) noexcept {
  struct stat before, after;
  if (sys::fstatat(AT_FDCWD, path, &before, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return {};
    return failed("look at");
  }
  if (!S_ISSOCK(before.st_mode)) return failed("replace what is no socket,", EEXIST);
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
  Done const dead = same ? is_dead(aside->path.view()) : Done(failed(doing, EADDRINUSE));
  if (!dead) {
    // A server that started meanwhile: it gets its path back, unless that is another's by now.
    if (sys::renameat2(AT_FDCWD, there, AT_FDCWD, path, RENAME_NOREPLACE) < 0) return failed("put back");
    return dead;
  }
  if (sys::unlinkat(AT_FDCWD, there, 0) < 0) {
    auto const failure = failed("remove the dead socket of");
    // As it was: nothing of ours lies about.
    sys::renameat2(AT_FDCWD, there, AT_FDCWD, path, RENAME_NOREPLACE);
    return failure;
  }
  return {};
}

int bind_with_mode(int fd, LocalAddress const &name, mode_t mode) noexcept {
  mode_t const before = sys::umask(~mode & 0777);
  int const bound = sys::bind(fd, reinterpret_cast<struct sockaddr const *>(&name.name().address), name.name().size);
  sys::umask(before);
  return bound;
}

/** Whether its path still is its own. */
Result<bool> is_at_path(BoundSocket const &bound, LocalAddress const &name) noexcept {
  struct stat st;
  if (name.is_abstract()) return true;
  if (sys::fstatat(AT_FDCWD, name.text(), &st, AT_SYMLINK_NOFOLLOW) == 0)
    return st.st_dev == bound.device && st.st_ino == bound.inode;
  if (errno == ENOENT) return false;
  return failed("keep");
}

/** Until it has its owner, nobody else can connect to it. */
Done give_to_owner(LocalAddress const &name, BindOptions const &options) noexcept {
  constexpr char const *giving = "give to its owner";
  Fd const file(sys::openat(AT_FDCWD, name.text(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!file.valid()) return failed(giving);
  Text<32> const link = Text<32>("/proc/self/fd/") << file.get();
  if (sys::fchownat(file.get(), "", options.owner.value_or(static_cast<uid_t>(-1)),
                    options.group.value_or(static_cast<gid_t>(-1)), AT_EMPTY_PATH) < 0 ||
      sys::fchmodat(AT_FDCWD, link.c_str(), options.mode, 0) < 0)
    return failed(giving);
  return {};
}

Done bind_replacing(int fd, LocalAddress const &name, BindOptions const &options) noexcept {
  mode_t const mode = options.owner || options.group ? 0 : options.mode;
  if (bind_with_mode(fd, name, mode) == 0) return {};
  if (errno != EADDRINUSE || !options.replace || name.is_abstract()) return failed(doing);
  // Servers that start at the same time go one after another, so that none finds its path set aside by another. Where the
  // directory cannot be locked they may, and say so.
  auto const aside = make_aside(name.text());
  if (!aside) return fail(aside);
  auto const lock = Lock::take_directory(AT_FDCWD, aside->directory.c_str(), Deadline::in(lock_wait));
  for (int round = 0; round < rounds; ++round) {
    if (auto const removed = remove_dead(name.text()); !removed) return removed;
    if (bind_with_mode(fd, name, mode) == 0) return {};
    if (errno != EADDRINUSE) break;
  }
  return failed(doing);
}

} // namespace

Done find_file(BoundSocket &bound, LocalAddress const &name) noexcept {
  if (name.is_abstract()) return {};
  struct stat st;
  // Its own file, also when another server, which asks nobody, has put its own in place of it by now.
  Fd const file(sys::ioctl(bound.fd.get(), file_of_socket, nullptr));
  if (!file.valid() || sys::fstat(file.get(), &st) < 0)
    if (sys::fstatat(AT_FDCWD, name.text(), &st, AT_SYMLINK_NOFOLLOW) < 0) return failed("keep");
  bound.device = st.st_dev;
  bound.inode = st.st_ino;
  return {};
}

Result<BoundSocket> bind_local(LocalAddress const &name, BindOptions const &options) noexcept {
  BoundSocket bound;
  bound.fd.reset(sys::socket(AF_UNIX, options.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!bound.fd.valid()) return failed("make a socket for");
  int const yes = 1;
  if (options.credentials && options.type == SOCK_DGRAM &&
      sys::setsockopt(bound.fd.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) < 0)
    return failed("ask who sends to");
  if (auto const done = bind_replacing(bound.fd.get(), name, options); !done) return fail(done);
  if (auto const found = find_file(bound, name); !found) return fail(found);
  Done ready;
  if (!name.is_abstract() && (options.owner || options.group)) ready = give_to_owner(name, options);
  if (ready && options.backlog && options.type != SOCK_DGRAM &&
      sys::listen(bound.fd.get(), static_cast<int>(options.backlog)) < 0)
    ready = failed("listen on");
  if (ready) {
    // Whoever took it for dead before it listened has taken it by now.
    auto const kept = is_at_path(bound, name);
    if (!kept) ready = fail(kept);
    else if (!*kept) return failed("keep", EADDRINUSE);
  }
  if (ready) return bound;
  remove_path(bound, name);
  return fail(ready);
}

Result<BoundSocket> bind_ip(SocketAddress const &name, BindOptions const &options) noexcept {
  BoundSocket bound;
  bound.fd.reset(sys::socket(name.family(), name.type() | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  int const fd = bound.fd.get();
  if (fd < 0) return failed("make a socket for");
  auto const set = [&](int level, int option, int value) noexcept {
    return sys::setsockopt(fd, level, option, &value, sizeof value) == 0;
  };
  bool const stream = name.type() == SOCK_STREAM;
  // Of a datagram socket, SO_REUSEADDR would let anybody of the same user take the port over: socket(7).
  if ((stream && options.replace && !set(SOL_SOCKET, SO_REUSEADDR, 1)) || (options.share && !set(SOL_SOCKET, SO_REUSEPORT, 1)) ||
      (name.family() == AF_INET6 && !set(IPPROTO_IPV6, IPV6_V6ONLY, options.only_v6)))
    return failed("prepare a socket for");
  if (sys::bind(fd, name.name(), name.size()) < 0) return failed(doing);
  if (stream && options.backlog && sys::listen(fd, static_cast<int>(options.backlog)) < 0) return failed("listen on");
  return bound;
}

void remove_path(BoundSocket const &bound, LocalAddress const &name) noexcept {
  if (!name.is_abstract() && is_at_path(bound, name).value_or(false)) sys::unlinkat(AT_FDCWD, name.text(), 0);
}

} // namespace pm::super
