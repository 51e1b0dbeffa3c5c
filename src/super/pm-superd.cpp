// Accept connections on sockets that listen, and start PROG for each.

#include <pm/super/arguments.h>
#include <utility>

namespace {

using namespace pm;
using namespace pm::super;

constexpr char help[] =
    "[-v N] [-1 | -N FD] [-P | -p] [-c MAX] [-C PERONE] [-L] [-O] [-R RATE] [-F RATE] [-I MS] [-W TEXT] [-X] [-w WORKER] [-s] "
    "[PROG...]\n"
    "  -v N       say 0: errors; 1: and warnings (default); 2: and each start and end\n"
    "  -1         write a newline to standard output, and close it, when connections are accepted\n"
    "  -N FD      the same on descriptor FD\n"
    "  -P         do not ask who connects to a Unix socket\n"
    "  -p         ask (default)\n"
    "  -c MAX     connections at a time (default 40, at most 100000); more wait\n"
    "  -C PERONE  connections of one user, or IP address, at a time (default: as -c); more are closed\n"
    "  -L         serve the sockets of LISTEN_FDS, and not descriptor 0\n"
    "  -O         the sockets are nobody else's: with -I nobody is lost at the end, and their paths are removed\n"
    "  -R RATE    RATE is N/MS: at most N starts in MS milliseconds; more connections wait\n"
    "  -F RATE    give up, exit 1, when PROG has failed so often, N/MS\n"
    "  -I MS      exit 0 after MS milliseconds without a connection\n"
    "  -W TEXT    what each connection is told first\n"
    "  -X         tell a client that is refused why\n"
    "  -w WORKER  hand each connection to who listens at this local address, and start nobody for it; without -s no PROG\n"
    "  -s         PROG is that worker, with WORKER's socket as descriptor 0: started when needed, and again when it ends\n"
    "exit codes: 0 1 100 101 111\n";

/** On descriptor 0, or on those of LISTEN_FDS; which have paths of their own is in `paths`, if it is to know. */
Done listen(Server &server, ServerOptions const &wanted, Options const &options, Bindings &paths) noexcept {
  int fds[listen_fds_max] = {0};
  std::string_view names[listen_fds_max];
  size_t count = 1;
  if (wanted.outer) {
    auto const given = ListenFds::own();
    if (!given) die_sys(given.error(), "");
    count = given->size();
    for (size_t i = 0; i < count; ++i) fds[i] = given->fd(i), names[i] = given->name(i);
  }
  if (auto const listening = server.listen_on({fds, count}, wanted.outer ? names : nullptr); !listening) return listening;
  for (size_t i = 0; i < count && wanted.own; ++i) {
    auto const address = address_of(fds[i]);
    if (!address.view().starts_with("local:")) continue;
    if (auto const adopted = paths.adopt(SocketAddress::argument(options, address.view(), 0), fds[i]); !adopted) return adopted;
  }
  return {};
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-superd", argc, argv, help);
  Options options(argc, argv, "v:1N:pPc:C:LOR:F:I:W:Xw:s", help);
  ServerOptions wanted;
  std::optional<LocalAddress> worker;
  bool start_worker = false;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'v': wanted.verbosity = options.value_number(); break;
      case 'w': worker = LocalAddress::argument(options, options.value()); break;
      case 's': start_worker = true; break;
      case 'O': wanted.own = true; break;
      default: read_server_option(options, letter, wanted);
    }
  bool const program_needed = !worker || start_worker;
  char const *const *const program = options.arguments(program_needed, program_needed ? INT32_MAX : 0);
  check_server_options(options, wanted);
  if (start_worker && !worker) options.refuse("-s starts the worker of -w");

  auto connections = Connections::make(wanted.most);
  if (!connections) die_sys(connections.error(), "");
  Server server(wanted, static_cast<Connections &&>(*connections), program);
  auto const socket = [&]() noexcept { return Text<32>("descriptor ") << server.failed_at(); };
  if (auto const taken = server.take_signals(); !taken) die_sys(taken.error(), socket().view());
  Bindings paths;
  BoundSocket bound;
  auto const remove_paths = [&]() noexcept {
    if (bound.fd.valid()) remove_path(bound, *worker);
    paths.remove_paths();
  };
  auto const give_up = [&](SysError error, std::string_view object) noexcept {
    remove_paths();
    die_sys(error, object);
  };
  if (auto const listening = listen(server, wanted, options, paths); !listening) give_up(listening.error(), socket().view());
  if (start_worker) {
    BindOptions private_path;
    private_path.mode = 0700;
    auto made = bind_local(*worker, private_path);
    if (!made) give_up(made.error(), worker->text());
    bound = std::move(*made);
  }
  if (worker)
    if (auto const used = server.use_worker(*worker, bound.fd.get()); !used) give_up(used.error(), worker->text());
  auto const served = server.run();
  // Still open, the sockets keep others from replacing the paths in between.
  remove_paths();
  if (!served) die_sys(served.error(), socket().view());
  if (*served) return exits::done;
  die(exits::no, "giving up: ", program_needed ? program[0] : "the worker", " has failed ",
      (Text<64>() << wanted.failures << " times in " << wanted.failures_ms << " ms").view());
}
