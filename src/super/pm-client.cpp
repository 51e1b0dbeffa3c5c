// Connect to a socket; become PROG, with the connection as descriptors 6 and 7.

#include <fcntl.h>
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

/** The UCSPI client's descriptors: reading, writing. */
constexpr int reading = 6, writing = 7;

/** Both are the connection, not close-on-exec; it may have got one of these numbers itself. */
Done give(Fd connection) noexcept {
  for (int const number : {reading, writing})
    if (connection.get() == number ? sys::fcntl(number, F_SETFD) < 0 : sys::dup2(connection.get(), number) < 0)
      return failed("have descriptors 6 and 7 for");
  if (connection.get() == reading || connection.get() == writing) (void)connection.release();
  return {};
}

/** What UCSPI has a client say of an IP connection. */
Done describe_ip(int connection, char const *protocol, Environment &environment) noexcept {
  struct {
    char const *side;
    int (*name_of)(int, struct sockaddr *, socklen_t *) noexcept;
  } const sides[] = {{"LOCAL", sys::getsockname}, {"REMOTE", sys::getpeername}};
  environment.set("PROTO", protocol);
  for (auto const &[side, name_of] : sides) {
    SocketName name;
    socklen_t size = sizeof name;
    if (name_of(connection, &name.any, &size) < 0) return failed("know the addresses of a connection to");
    auto const ip = ip_of(name);
    environment.set((Text<16>(protocol) << side << "IP").c_str(), ip.host.view());
    environment.set((Text<16>(protocol) << side << "PORT").c_str(), (Text<16>() << ip.port).view());
  }
  return {};
}

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
  // What a super-server around us said of another connection would be said of this one.
  ucspi::forget(environment);
  if (to.is_local()) {
    environment.set("PROTO", "IPC");
    environment.set("IPCREMOTEPATH", to.local().text());
  } else if (auto const described = describe_ip(connection->get(), to.type() == SOCK_STREAM ? "TCP" : "UDP", environment);
             !described) {
    die_sys(described.error(), arguments[0]);
  }
  if (auto const given = give(static_cast<Fd &&>(*connection)); !given) die_sys(given.error(), arguments[0]);
  return environment.exec(arguments + 1);
}
