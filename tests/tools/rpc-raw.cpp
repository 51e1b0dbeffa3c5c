// rpc-raw [-w] [-c PID] [-p PORT] [-s ADDRESS] [-f BYTES] NETID (HOST PORT | PATH) HEX...: sends each HEX as a message, from PORT and ADDRESS
// if they are given, in fragments of BYTES, and prints the reply to it, in hexadecimal, or `silent`, or `closed`. What is not
// answered is known by the answer to a call of procedure 0 that follows it; with -w, none does, and one answer is waited for,
// from wherever it comes. With -c all are sent before any answer is read, and then PID, which was stopped, goes on.

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace {

constexpr size_t room = 1 << 24;
unsigned char out[room], in[room];
size_t fragment = 0;
bool stream;
union Name {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un local;
} peer = {};
socklen_t peer_size;

[[noreturn]] void die(char const *what) {
  fprintf(stderr, "rpc-raw: %s: %s\n", what, strerror(errno));
  exit(111);
}

void send_message(int fd, unsigned char const *bytes, size_t size) {
  if (!stream) {
    if (sendto(fd, bytes, size, 0, &peer.any, peer_size) < 0) die("send");
    return;
  }
  for (size_t at = 0;;) {
    size_t const n = fragment && size - at > fragment ? fragment : size - at;
    uint32_t const mark = htonl(static_cast<uint32_t>(n) | (at + n == size ? 0x80000000U : 0));
    if (send(fd, &mark, 4, MSG_NOSIGNAL) != 4) return;
    for (size_t sent = 0; sent < n;) {
      ssize_t const now = send(fd, bytes + at + sent, n - sent, MSG_NOSIGNAL);
      if (now < 0) return;
      sent += static_cast<size_t>(now);
    }
    at += n;
    if (at == size) return;
  }
}

bool read_all(int fd, unsigned char *into, size_t size) {
  for (size_t at = 0; at < size;) {
    ssize_t const n = recv(fd, into + at, size - at, 0);
    if (n <= 0) return false;
    at += static_cast<size_t>(n);
  }
  return true;
}

/** The size of the next message, in `in`; 0: there will be none. */
size_t receive_message(int fd) {
  struct pollfd ready = {fd, POLLIN, 0};
  if (poll(&ready, 1, 20000) != 1) return 0;
  if (!stream) {
    ssize_t const n = recv(fd, in, room, 0);
    return n < 0 ? 0 : static_cast<size_t>(n);
  }
  size_t size = 0;
  for (uint32_t mark = 0; !(mark & 0x80000000U);) {
    if (!read_all(fd, reinterpret_cast<unsigned char *>(&mark), 4)) return 0;
    mark = ntohl(mark);
    if (!read_all(fd, in + size, mark & 0x7fffffffU)) return 0;
    size += mark & 0x7fffffffU;
  }
  return size;
}

size_t read_hex(char const *hex) {
  size_t size = 0;
  for (; *hex; ++hex) {
    unsigned byte;
    if (*hex == ' ' || *hex == '\n') continue;
    if (sscanf(hex, "%2x", &byte) != 1) die(hex);
    out[size++] = static_cast<unsigned char>(byte);
    ++hex;
  }
  return size;
}

Name name_of(bool v6, char const *host, int port) {
  Name name = {};
  name.any.sa_family = v6 ? AF_INET6 : AF_INET;
  char plain[INET6_ADDRSTRLEN] = {};
  char const *const scope = strchr(host, '%');
  strncpy(plain, host, sizeof plain - 1);
  if (scope && scope - host < INET6_ADDRSTRLEN) {
    plain[scope - host] = 0;
    name.v6.sin6_scope_id = if_nametoindex(scope + 1);
  }
  if (inet_pton(name.any.sa_family, plain, v6 ? static_cast<void *>(&name.v6.sin6_addr) : &name.v4.sin_addr) != 1) die(host);
  (v6 ? name.v6.sin6_port : name.v4.sin_port) = htons(static_cast<uint16_t>(port));
  return name;
}

} // namespace

int main(int argc, char **argv) {
  int from = 0;
  bool waits = false;
  pid_t stopped = 0;
  char const *source = nullptr;
  for (int letter; (letter = getopt(argc, argv, "wc:p:s:f:")) >= 0;)
    if (letter == 'w') waits = true;
    else if (letter == 'c') stopped = atoi(optarg);
    else if (letter == 'p') from = atoi(optarg);
    else if (letter == 's') source = optarg;
    else if (letter == 'f') fragment = static_cast<size_t>(atoi(optarg));
  argv += optind;
  if (!argv[0] || !argv[1]) return 100;
  bool const local = strcmp(argv[0], "local") == 0, v6 = strchr(argv[0], '6') != nullptr;
  stream = argv[0][0] != 'u';
  int const fd = socket(local ? AF_UNIX : v6 ? AF_INET6 : AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
  int const yes = 1;
  if (from || source) {
    auto const own = name_of(v6, source ? source : v6 ? "::" : "0.0.0.0", from);
    if (stream) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, &own.any, v6 ? sizeof own.v6 : sizeof own.v4) < 0) die("bind");
  }
  if (local) {
    peer.local.sun_family = AF_UNIX;
    strncpy(peer.local.sun_path, argv[1], sizeof peer.local.sun_path - 1);
  } else {
    peer = name_of(v6, argv[1], atoi(argv[2]));
  }
  peer_size = local ? sizeof peer.local : v6 ? sizeof peer.v6 : sizeof peer.v4;
  if (stream && connect(fd, &peer.any, peer_size) < 0) die("connect");
  if (!stream) setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes);
  if (stream && !local) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  constexpr unsigned char after[40] = {0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0x86, 0xa0, 0, 0, 0, 3};
  for (char **hex = argv + (local ? 2 : 3); *hex; ++hex) {
    size_t const size = read_hex(*hex);
    send_message(fd, out, size);
    if (stopped && hex[1]) continue;
    if (!waits) send_message(fd, after, sizeof after);
    if (stopped) kill(stopped, SIGCONT);
    bool answered = false;
    for (;;) {
      size_t const n = receive_message(fd);
      if (!n) {
        puts("closed");
        return 0;
      }
      if (n >= 4 && memcmp(in, after, 4) == 0) break;
      for (size_t i = 0; i < n; ++i) printf("%02x", in[i]);
      puts("");
      answered = true;
      if (waits) break;
    }
    if (!answered) puts("silent");
  }
  // Who connects from PORT next is refused with EADDRNOTAVAIL until the peer has seen that this is the end, and may come at once.
  if (stream && from && shutdown(fd, SHUT_WR) == 0)
    while (receive_message(fd)) {
    }
}
