// Bind sockets, become somebody else, and start PROG for each connection.

#include <pm/super/arguments.h>
#include <pm/super/superd_command.h>

namespace {

using namespace pm;
using namespace pm::super;

constexpr char help[] =
    "[-q | -Q | -v] [-d | -D] [-S | -m] [-r] [-4] [-A] [-P | -p] [-1 | -N FD] [-c MAX] [-C PERONE] [-b BACKLOG] [-a MODE] "
    "[-o OWNER] [-G GROUPS] [-g GROUP] [-u USER] [-U] [-R RATE] [-F RATE] [-I MS] [-W TEXT] [-X] [-w WORKER] [-s] [-n "
    "NAME=ADDRESS]... "
    "[ADDRESS] [PROG...]\n"
    "  -q               say errors only\n"
    "  -Q               and warnings (default)\n"
    "  -v               and each start and end\n"
    "  -d               replace a path if no server lives there; bind a port that old connections have (default)\n"
    "  -D               refuse any path that exists, and such a port\n"
    "  -S               a local socket is a seqpacket socket\n"
    "  -m               a local socket is a datagram socket\n"
    "  -r               share an IP port with others who say so\n"
    "  -4               tcp6 and udp6 take IPv4, too\n"
    "  -A               print what was bound, an address a line\n"
    "  -P               do not ask who connects to a Unix socket\n"
    "  -p               ask (default)\n"
    "  -1               write a newline to standard output, and close it, when connections are accepted\n"
    "  -N FD            the same on descriptor FD\n"
    "  -c MAX           connections at a time (default 40, at most 100000); more wait\n"
    "  -C PERONE        connections of one user, or IP address, at a time (default: as -c); more are closed\n"
    "  -b BACKLOG       connections that may wait to be accepted (default 128)\n"
    "  -a MODE          permissions of a path, in octal (default 777)\n"
    "  -o OWNER         USER, USER:GROUP or :GROUP that a path belongs to (default: as files do)\n"
    "  -G GROUPS        once bound, have these supplementary groups, with commas between them\n"
    "  -g GROUP         once bound, be of this group\n"
    "  -u USER          once bound, be this user; without -g of his primary group, without -G of no other\n"
    "  -U               the same of $UID, $GID and $GIDLIST, which PROG does not get\n"
    "  -R RATE          RATE is N/MS: at most N starts in MS milliseconds; more connections wait\n"
    "  -F RATE          give up, exit 1, when PROG has failed so often, N/MS\n"
    "  -I MS            exit 0 after MS milliseconds without a connection\n"
    "  -W TEXT          what each connection is told first\n"
    "  -X               tell a client that is refused why\n"
    "  -w WORKER        become pm-superd, which hands each connection to who listens at this local address; without -s no PROG\n"
    "  -s               PROG is that worker\n"
    "  -n NAME=ADDRESS  instead of ADDRESS: serve several, and tell PROG the name\n"
    "ADDRESS: PATH local:PATH local:@NAME tcp:HOST:PORT tcp6:[HOST]:PORT udp:HOST:PORT udp6:[HOST]:PORT; port 0 is any\n"
    "exit codes: 0 1 100 101 111 126 127\n";

struct Wanted {
  Bindings sockets;
  BindOptions socket;
  ServerOptions server;
  Identity identity;
  SuperdCommand superd;
  bool by_worker = false, start_worker = false;
};

void read_options(Options &options, Wanted &wanted) noexcept {
  bool by_environment = false;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'q': wanted.server.verbosity = 0; break;
      case 'Q': wanted.server.verbosity = 1; break;
      case 'v': wanted.server.verbosity = 2; break;
      case 'u': wanted.identity.user = options.value_user(); break;
      case 'g': wanted.identity.group = options.value_group(); break;
      case 'G': wanted.identity.groups = options.value_groups(); break;
      case 'U': by_environment = true; break;
      case 'n': add_named_socket(options, wanted.sockets, options.value()); break;
      case 'w':
        // Here, before anything is bound.
        (void)LocalAddress::argument(options, options.value());
        wanted.by_worker = true;
        wanted.superd.remember(letter, options.value());
        break;
      case 's':
        wanted.start_worker = true;
        wanted.superd.remember(letter, options.value());
        break;
      default:
        if (read_server_option(options, letter, wanted.server)) wanted.superd.remember(letter, options.value());
        else read_bind_option(options, letter, wanted.socket);
    }
  // What does not listen cannot be served.
  if (!wanted.socket.backlog) wanted.socket.backlog = 1;
  check_server_options(options, wanted.server);
  if (wanted.start_worker && !wanted.by_worker) options.refuse("-s starts the worker of -w");
  if (by_environment) add_environment(options, wanted.identity);
}

/** Until it ends by itself, or a signal ends it. */
Result<bool> serve(Wanted &wanted, Server &server) noexcept {
  int fds[listen_fds_max];
  bool const named = wanted.sockets.names()[0].size();
  for (size_t i = 0; i < wanted.sockets.size(); ++i) fds[i] = wanted.sockets.fd(i).get();
  auto const listening = server.listen_on({fds, wanted.sockets.size()}, named ? wanted.sockets.names().data() : nullptr);
  if (!listening) return fail(listening);
  if (auto const changed = wanted.identity.become(); !changed) return fail(changed);
  return server.run();
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-super", argc, argv, help);
  Options options(argc, argv, "qQvdDSmr4APp1N:c:C:b:a:o:G:g:u:UR:F:I:W:Xw:sn:", help);
  Wanted wanted;
  wanted.server.own = true;
  read_options(options, wanted);
  Bindings &sockets = wanted.sockets;
  bool const named = sockets.size(), program_needed = !wanted.by_worker || wanted.start_worker;
  int const addresses = named ? 0 : 1;
  char const *const *program = options.arguments(addresses + program_needed, program_needed ? INT32_MAX : addresses);
  char const *const object = named ? "its sockets" : program[0];
  if (!named) add_socket(options, sockets, "", *program++);
  if (wanted.by_worker) {
    if (auto const bound = sockets.bind(wanted.socket); !bound) die_sys(bound.error(), sockets.failed_at());
    return wanted.superd.become(sockets, wanted.identity, wanted.server, program);
  }

  auto connections = Connections::make(wanted.server.most);
  if (!connections) die_sys(connections.error(), "");
  Server server(wanted.server, static_cast<Connections &&>(*connections), program);
  // Before there is a path to be left behind.
  if (auto const taken = server.take_signals(); !taken) die_sys(taken.error(), object);
  if (auto const bound = sockets.bind(wanted.socket); !bound) die_sys(bound.error(), sockets.failed_at());
  auto const served = serve(wanted, server);
  // Still open, the sockets keep others from replacing the paths in between.
  sockets.remove_paths();
  if (!served) die_sys(served.error(), object);
  if (*served) return exits::done;
  die(exits::no, "giving up: ", program[0], " has failed ",
      (Text<64>() << wanted.server.failures << " times in " << wanted.server.failures_ms << " ms").view());
}
