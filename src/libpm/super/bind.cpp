// Binding to a path, which a dead server may have left and a living one must keep.

#include <fcntl.h>
#include <linux/fs.h>
#include <pm/base/lock.h>
#include <pm/base/random.h>
#include <pm/super/bind.h>
#include <unistd.h>

namespace pm::super {

namespace {

constexpr char const *doing = "bind to";

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
  if (sys::unlinkat(AT_FDCWD, there, 0) < 0) return failed("remove the dead socket of");
  return {};
}

int bind_with_mode(int fd, LocalAddress const &name, mode_t mode) noexcept {
  mode_t const before = sys::umask(~mode & 0777);
  int const bound = sys::bind(fd, reinterpret_cast<struct sockaddr const *>(&name.name().address), name.name().size);
  sys::umask(before);
  return bound;
}

bool is_at_path(BoundSocket const &bound, LocalAddress const &name) noexcept {
  struct stat st;
  return name.is_abstract() || (sys::fstatat(AT_FDCWD, name.text(), &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == bound.device &&
                                st.st_ino == bound.inode);
}

Done bind_replacing(int fd, LocalAddress const &name, BindOptions const &options) noexcept {
  if (bind_with_mode(fd, name, options.mode) == 0) return {};
  if (errno != EADDRINUSE || !options.replace || name.is_abstract()) return failed(doing);
  // Servers that start at the same time go one after another, so that none finds its path set aside by another. Where the
  // directory cannot be locked they may, and say so.
  auto const aside = make_aside(name.text());
  if (!aside) return fail(aside);
  auto const lock = Lock::take_directory(AT_FDCWD, aside->directory.c_str(), Deadline::in(lock_wait));
  for (int round = 0; round < rounds; ++round) {
    if (auto const removed = remove_dead(name.text()); !removed) return removed;
    if (bind_with_mode(fd, name, options.mode) == 0) return {};
    if (errno != EADDRINUSE) break;
  }
  return failed(doing);
}

} // namespace

Result<BoundSocket> bind_local(LocalAddress const &name, BindOptions const &options) noexcept {
  BoundSocket bound;
  bound.fd.reset(sys::socket(AF_UNIX, options.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!bound.fd.valid()) return failed("make a socket for");
  if (auto const done = bind_replacing(bound.fd.get(), name, options); !done) return fail(done);
  struct stat st = {};
  if (!name.is_abstract() && sys::fstatat(AT_FDCWD, name.text(), &st, AT_SYMLINK_NOFOLLOW) < 0) return failed("keep");
  bound.device = st.st_dev;
  bound.inode = st.st_ino;
  if (options.backlog && options.type != SOCK_DGRAM && sys::listen(bound.fd.get(), static_cast<int>(options.backlog)) < 0) {
    auto const failure = failed("listen on");
    remove_path(bound, name);
    return failure;
  }
  // Whoever took it for dead before it listened has taken it by now.
  if (!is_at_path(bound, name)) return failed("keep", EADDRINUSE);
  return bound;
}

void remove_path(BoundSocket const &bound, LocalAddress const &name) noexcept {
  if (!name.is_abstract() && is_at_path(bound, name)) sys::unlinkat(AT_FDCWD, name.text(), 0);
}

void read_bind_option(Options const &options, int letter, BindOptions &wanted) noexcept {
  switch (letter) {
    case 'd': wanted.replace = true; break;
    case 'D': wanted.replace = false; break;
    case 'b': wanted.backlog = options.value_number(0, INT32_MAX); break;
    case 'a': wanted.mode = options.value_mode(); break;
  }
}

} // namespace pm::super
