// Connect to a socket; become PROG, with the connection as descriptors 6 and 7.

#include <pm/base/connect.h>
#include <pm/base/program.h>
#include <pm/base/ucspi.h>

namespace {

using namespace pm;

constexpr char help[] =
    "[-t MS] [-S | -m] [-b FROM] ADDRESS PROG...\n"
    "  -t MS    how long to wait for the connection (default 0: as long as the kernel does)\n"
    "  -S       a local ADDRESS is a seqpacket socket\n"
    "  -m       a local ADDRESS is a datagram socket\n"
    "  -b FROM  the address to connect from, of the same kind; its port may be 0\n"
    "ADDRESS: PATH local:PATH local:@NAME tcp:HOST:PORT tcp6:[HOST]:PORT udp:HOST:PORT udp6:[HOST]:PORT\n"
    "exit codes: 0 99 100 101 111 126 127\n";

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-client", argc, argv, help);
  Options options(argc, argv, "t:Smb:", help);
  uint32_t timeout = 0;
  int type = SOCK_STREAM;
  char const *from_text = nullptr;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 't': timeout = options.value_number(); break;
      case 'S': type = SOCK_SEQPACKET; break;
      case 'm': type = SOCK_DGRAM; break;
      case 'b': from_text = options.value(); break;
    }
  char const *const *const arguments = options.arguments(2);
  auto const to = SocketAddress::argument(options, arguments[0], 1);
  std::optional<SocketAddress> from;
  if (from_text) from = SocketAddress::argument(options, from_text, 0);
  if (from && from->netid() != to.netid()) options.refuse("-b is an address of another kind than ADDRESS");

  auto connection = connect_to(to, type, from ? &*from : nullptr, Deadline::in(timeout));
  if (!connection) die_sys(connection.error(), arguments[0]);
  Environment environment;
  if (to.is_local()) ucspi::describe_local(to.local().text(), environment);
  else if (auto const described = ucspi::describe_ip(connection->get(), to.type() == SOCK_STREAM ? "TCP" : "UDP", environment);
           !described)
    die_sys(described.error(), arguments[0]);
  if (auto const given = ucspi::give(static_cast<Fd &&>(*connection)); !given) die_sys(given.error(), arguments[0]);
  return environment.exec(arguments + 1);
}
