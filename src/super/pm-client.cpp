// Connect to a socket, then execute PROG with the connection as descriptors 6 and 7, or relay it.

#include "cli/arguments.h"
#include "cli/program.h"
#include "cli/standard_streams.h"
#include "libpm/net/connect.h"
#include "libpm/net/ucspi.h"

namespace {

using namespace pm;

struct ClientSettings {
  std::optional<uint32_t> timeout; /**< ms; 0: none; nothing: none, and a server that does not run is an error */
  int type = SOCK_STREAM;
  std::optional<SockAddr> from;
  bool passes = false;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-client",
             .operands = "ADDRESS [PROG...]",
             .exits = "0 99 100 101 111 126 127",
             .notes = "ADDRESS: PATH local:PATH local:@NAME tcp:HOST:PORT tcp6:[HOST]:PORT udp:HOST:PORT udp6:[HOST]:PORT\n"},
    option<as_number<>, &ClientSettings::timeout>(
        't', "MS", "the time limit for connecting (0: none); it also covers waiting for a server at the path of a Unix socket"),
    sets<SOCK_SEQPACKET, &ClientSettings::type>('S', "a Unix ADDRESS is a seqpacket socket"),
    sets<SOCK_DGRAM, &ClientSettings::type>('m', "a Unix ADDRESS is a datagram socket").as(Form::alternative),
    option<as_socket_address, &ClientSettings::from>('b', "FROM",
                                                     "connect from this address, of the same kind; its port may be 0"),
    pass_option<&ClientSettings::passes>());

} // namespace

int main(int argc, char const *const *argv) {
  ClientSettings settings;
  char const *const *const operands = command_line.read(argc, argv, settings);
  auto const to = socket_address({"ADDRESS", operands[0]}, 1);
  auto const &from = settings.from;
  if (from && from->netid() != to.netid()) refuse("-b and ADDRESS are of different kinds");
  if (settings.passes) check_passing(operands + 1);
  else if (!operands[1] && (to.is_local() ? settings.type : to.type()) != SOCK_STREAM)
    refuse("missing PROG: without it ADDRESS must be a stream socket");

  auto const deadline = time_limit(settings.timeout.value_or(0));
  auto const once = [&]() noexcept { return connect_to(to, settings.type, from ? &*from : nullptr, deadline); };
  auto connection = settings.timeout && to.path() ? await_server(to.path(), deadline, once) : once();
  if (!connection) die_sys(connection.error(), operands[0]);
  if (!operands[1]) return use_standard_streams(static_cast<Fd &&>(*connection), settings.passes, operands[0]);
  Environment environment;
  if (to.is_local()) ucspi::describe_local(to.local_name().view(), environment);
  else if (auto const described = ucspi::describe_ip(connection->get(), to.type() == SOCK_STREAM ? "TCP" : "UDP", environment);
           !described)
    die_sys(described.error(), operands[0]);
  if (auto const given = ucspi::give(static_cast<Fd &&>(*connection)); !given) die_sys(given.error(), operands[0]);
  return execute(environment, operands + 1);
}
