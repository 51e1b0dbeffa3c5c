#include "libpm/net/stale_socket.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/un.h>
#include <unistd.h>
#include "libpm/net/address.h"
#include "libpm/os/directory.h"
#include "libpm/os/random.h"
#include "libpm/os/sys.h"

namespace pm {

namespace {

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
Done is_dead(std::string_view path, char const *doing) noexcept {
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
  if (connected == 0 || errno == EPROTOTYPE || errno == EAGAIN) return failed(doing, EADDRINUSE);
  if (errno != ECONNREFUSED) return failed("test for a server at");
  return {};
}

} // namespace

Done remove_dead_socket(char const *path, char const *doing) noexcept {
  struct stat before, after;
  if (sys::fstatat(AT_FDCWD, path, &before, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return {};
    return failed("look at");
  }
  if (!S_ISSOCK(before.st_mode)) return failed("replace a file with the socket", EEXIST);
  if (auto const dead = is_dead(path, doing); !dead) {
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
  Done const dead = same ? is_dead(aside->path.view(), doing) : Done(failed(doing, EADDRINUSE));
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

void remove_leftover_sockets(char const *directory, uid_t owner) noexcept {
  (void)each_entry(AT_FDCWD, directory, [=](int dir, char const *name, unsigned char) noexcept -> Done {
    if (!std::string_view(name).starts_with(aside_prefix)) return {};
    struct stat st;
    // Another user's are passed over: any number of them may be in a directory that others may write.
    if (sys::fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISSOCK(st.st_mode) || st.st_uid != owner) return {};
    Text<local_path_max + 300> path;
    path << directory << '/' << name;
    if (is_dead(path.view(), "")) sys::unlinkat(dir, name, 0);
    return {};
  });
}

} // namespace pm
