// Bind sockets and listen on them; then become PROG, which has them as standard input, or by number and name.

#include <pm/super/arguments.h>

namespace {

using namespace pm;
using namespace pm::super;

constexpr char help[] =
    "[-d | -D] [-S | -m] [-r] [-4] [-A] [-b BACKLOG] [-a MODE] [-o OWNER] [-L NAME]... [-n NAME=ADDRESS]... [ADDRESS] PROG...\n"
    "  -d               replace a path if no server lives there; bind a port that old connections have (default)\n"
    "  -D               refuse any path that exists, and such a port\n"
    "  -S               a local socket is a seqpacket socket\n"
    "  -m               a local socket is a datagram socket\n"
    "  -r               share an IP port with others who say so\n"
    "  -4               tcp6 and udp6 take IPv4, too\n"
    "  -A               print what was bound, an address a line\n"
    "  -b BACKLOG       connections that may wait to be accepted (default 128; 0: bind, and do not listen)\n"
    "  -a MODE          permissions of a path, in octal (default 777)\n"
    "  -o OWNER         USER, USER:GROUP or :GROUP that a path belongs to (default: as files do)\n"
    "  -L NAME          take the next socket of LISTEN_FDS, and call it that\n"
    "  -n NAME=ADDRESS  instead of ADDRESS: sockets are descriptors 3 and up, with LISTEN_FDS and PM_FD_NAME\n"
    "ADDRESS: PATH local:PATH local:@NAME tcp:HOST:PORT tcp6:[HOST]:PORT udp:HOST:PORT udp6:[HOST]:PORT; port 0 is any\n"
    "exit codes: 0 100 101 111 126 127\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-socketbinder", argc, argv, help);
  Options options(argc, argv, "dDSmr4Ab:a:o:n:L:", help);
  BindOptions wanted;
  Bindings sockets;
  for (int letter; (letter = options.next()) >= 0;)
    if (letter == 'n') add_named_socket(options, sockets, options.value());
    else if (letter == 'L') add_outer_socket(options, sockets, options.value());
    else read_bind_option(options, letter, wanted);
  bool const named = sockets.size();
  char const *const *program = options.arguments(named ? 1 : 2);
  if (!named) add_socket(options, sockets, "", *program++);

  if (auto const bound = sockets.bind(wanted); !bound) die_sys(bound.error(), sockets.failed_at());
  auto const placed =
      place_fds(sockets.size(), named ? listen_fds_start : 0, [&](size_t i) noexcept -> Fd & { return sockets.fd(i); });
  if (!placed) {
    sockets.remove_paths();
    die_sys(placed.error(), program[0]);
  }
  Environment environment;
  if (named) give_listen_fds(environment, sockets.names());
  int const code = environment.exec(program);
  sockets.remove_paths();
  return code;
}
