// flood PATH COUNT FD: keeps COUNT connections to the Unix socket PATH, and says nothing on them. Replaces each that the server closes. Once
// all are connected, writes a newline to FD. Runs until it is killed.

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include "cli/program.h"
#include "libpm/net/sock_addr.h"
#include "libpm/os/sys.h"
#include "libpm/util/text.h"

using namespace pm;

namespace {

/** A connection that was asked for; the server may not have accepted it yet. Waits while the listening socket's queue is full. */
int knock(SockAddr const &server) noexcept {
  int const fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) die_sys({errno, "make a socket"}, "");
  if (::connect(fd, server.get(), server.size()) < 0) die_sys({errno, "connect to"}, server.path());
  return fd;
}

/** Whether the server has closed the connection. What it has sent, such as a greeting, is read. */
bool is_closed(int fd) noexcept {
  char bytes[4096];
  ssize_t n;
  do n = ::recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
  while (n > 0);
  return n == 0 || errno != EAGAIN;
}

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "flood";
  if (argc != 4) die(exits::usage, "flood PATH COUNT FD");
  auto const server = SockAddr::of_path(argv[1]);
  if (!server) die_sys(server.error(), argv[1]);
  List<struct pollfd> all;
  for (unsigned left = number<unsigned>(argv[2]).value_or(0); left; --left)
    if (!all.append({knock(*server), POLLIN, 0})) die_no_memory();
  (void)!::write(number<int>(argv[3]).value_or(-1), "\n", 1);
  for (;;) {
    if (::poll(all.begin(), all.size(), -1) < 0) die_sys({errno, "wait for"}, argv[1]);
    for (auto &one : all) {
      if (!one.revents || !is_closed(one.fd)) continue;
      ::close(one.fd);
      one.fd = knock(*server);
    }
  }
}
