// bound-socket KIND COMMAND...: with descriptor 3 a socket that is bound to ./KIND.sock, and listens if it can; KIND is stream,
// seqpacket or datagram. Of KIND tcp it is descriptor 0, on a port that the kernel chose.

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <string_view>

int main(int argc, char **argv) {
  if (argc < 3) return 100;
  std::string_view const kind = argv[1];
  bool const tcp = kind == "tcp", datagram = kind == "datagram";
  int const type = datagram ? SOCK_DGRAM : kind == "seqpacket" ? SOCK_SEQPACKET : SOCK_STREAM;
  int const fd = ::socket(tcp ? AF_INET : AF_UNIX, type, 0);
  struct sockaddr_un name = {};
  name.sun_family = AF_UNIX;
  ::snprintf(name.sun_path, sizeof name.sun_path, "%s.sock", argv[1]);
  // One of tcp that listens without a name gets a port: listen(2).
  if (fd < 0 || (!tcp && ::bind(fd, reinterpret_cast<struct sockaddr *>(&name), sizeof name) < 0) ||
      (!datagram && ::listen(fd, 5) < 0) || ::dup2(fd, tcp ? 0 : 3) < 0) {
    perror("bound-socket");
    return 111;
  }
  if (fd != 3 && fd != 0) ::close(fd);
  ::execvp(argv[2], argv + 2);
  perror(argv[2]);
  return errno == ENOENT ? 127 : 126;
}
