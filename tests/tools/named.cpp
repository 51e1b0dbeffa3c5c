// named NAME PATH: connects to the Unix socket at PATH from a socket that is bound to the bytes of NAME, in which % is a NUL, and
// prints what it is told until the end. The names are such as no program would give itself.

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <algorithm>

int main(int argc, char **argv) {
  if (argc != 3 || strlen(argv[1]) > sizeof(sockaddr_un::sun_path) || strlen(argv[2]) >= sizeof(sockaddr_un::sun_path))
    return 100;
  struct sockaddr_un from = {}, to = {};
  from.sun_family = to.sun_family = AF_UNIX;
  memcpy(from.sun_path, argv[1], strlen(argv[1]));
  std::replace(from.sun_path, from.sun_path + strlen(argv[1]), '%', '\0');
  memcpy(to.sun_path, argv[2], strlen(argv[2]));
  auto const size = static_cast<socklen_t>(offsetof(struct sockaddr_un, sun_path) + strlen(argv[1]));
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (::bind(fd, reinterpret_cast<struct sockaddr *>(&from), size) < 0 ||
      ::connect(fd, reinterpret_cast<struct sockaddr *>(&to), sizeof to) < 0) {
    perror("named");
    return 111;
  }
  char said[4096];
  for (ssize_t n; (n = ::read(fd, said, sizeof said)) > 0;)
    if (::write(1, said, static_cast<size_t>(n)) < 0) return 111;
  return 0;
}
