#include <pm/base/local_socket.h>

#include <string.h>

namespace pm {

namespace {
constexpr size_t path_offset = offsetof(struct sockaddr_un, sun_path);
}

bool is_same_socket(int a, int b) noexcept {
  struct stat of_a, of_b;
  return sys::fstat(a, &of_a) == 0 && sys::fstat(b, &of_b) == 0 && of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino;
}

Text<local_path_max + 1> text_of(SocketName const &name, socklen_t size) noexcept {
  Text<local_path_max + 1> text;
  if (size <= path_offset || size > sizeof name) return text;
  char const *const path = name.local.sun_path;
  size_t const length = size - path_offset;
  std::string_view const said = *path ? std::string_view(path, strnlen(path, length)) : std::string_view(path + 1, length - 1);
  // No second line, no other word for a terminal, and no path that is taken for an abstract name.
  if (has_control(said) || memchr(said.data(), 0, said.size()) || (*path == '@')) return text;
  if (!*path) text << '@';
  text << said;
  return text;
}

Result<LocalName> LocalName::make(std::string_view path) noexcept {
  constexpr char const *doing = "use a socket's path";
  if (path.empty()) return failed(doing, EINVAL);
  if (path.size() >= local_path_max) return failed(doing, ENAMETOOLONG);
  LocalName name = {};
  name.address.sun_family = AF_UNIX;
  memcpy(name.address.sun_path, path.data(), path.size());
  bool const abstract = path.starts_with('@');
  if (abstract) name.address.sun_path[0] = '\0';
  // An abstract name is all the bytes that the size counts; a path ends with its NUL.
  name.size = static_cast<socklen_t>(path_offset + path.size() + !abstract);
  return name;
}

Result<Fd> connect_local(std::string_view path, Deadline deadline, int type, LocalName const *from) noexcept {
  constexpr char const *doing = "connect to";
  auto const name = LocalName::make(path);
  if (!name) return fail(name);
  Fd socket(sys::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return failed(doing);
  if (from && sys::bind(socket.get(), reinterpret_cast<struct sockaddr const *>(&from->address), from->size) < 0)
    return failed("bind, to connect to");
  for (;;) {
    // A full backlog is waited for in connect itself, which poll knows nothing of: socket(7), SO_SNDTIMEO.
    int const ms = deadline.remaining();
    if (ms == 0) return failed(doing, ETIMEDOUT);
    struct timeval const left = {ms < 0 ? 0 : ms / 1000, ms < 0 ? 0 : ms % 1000 * 1000};
    if (sys::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left) < 0) return failed(doing);
    if (sys::connect(socket.get(), reinterpret_cast<struct sockaddr const *>(&name->address), name->size) == 0) break;
    if (errno == EAGAIN) continue;
    if (errno != EINTR) return failed(doing);
  }
  struct timeval const never = {};
  if (sys::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &never, sizeof never) < 0) return failed(doing);
  return socket;
}

} // namespace pm
