// The port mapper: portmap version 2 and rpcbind versions 3 and 4, over the registry's rows.

#include <pm/base/limits.h>
#include <pm/base/listen_fds.h>
#include <pm/base/privileges.h>
#include <pm/base/program.h>
#include <pm/base/signals.h>
#include <pm/rpc/own_rows.h>
#include <pm/rpc/server.h>
#include <pm/super/bind.h>
#include <stdlib.h>
#include <unistd.h>

namespace {

using namespace pm;
using namespace pm::onc;
using registry::Registry;

constexpr char help[] =
    "[-d REGISTRY] [-r] [-i] [-l] [-k] [-w] [-f] [-h ADDRESS]... [-p PORT] [-s PATH] [-c MAX] [-C PERPEER] [-b KB] [-t MS] [-1 | "
    "-N FD]\n"
    "  -d REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -r           forward calls\n"
    "  -i           let rows be set from everywhere, not only from this host\n"
    "  -l           say what is set and unset, and what is refused\n"
    "  -k           rows that a process set over the Unix socket go when it ends\n"
    "  -w           accepted: rows always survive a restart\n"
    "  -f           accepted: it never puts itself into the background\n"
    "  -h ADDRESS   listen on this address, and on loopback, only; again for more\n"
    "  -p PORT      listen on this port (default 111)\n"
    "  -s PATH      listen on this Unix socket (default /run/rpcbind.sock; empty: on none)\n"
    "  -c MAX       connections at a time (default 512)\n"
    "  -C PERPEER   of one address or user at a time (default 64)\n"
    "  -b KB        kilobytes kept for all connections at a time (default 8192)\n"
    "  -t MS        close a connection that says nothing for so long (default 60000; 0: never)\n"
    "  -1           write a newline to standard output, and close it, when calls are answered\n"
    "  -N FD        the same on descriptor FD\n"
    "exit codes: 0 99 100 101 111\n";

struct Wanted {
  char const *registry = Registry::default_path();
  Portmapper::Policy policy;
  Store::Limits rows;
  Server::Limits limits;
  List<Endpoint> addresses;
  uint16_t port = portmapper_port;
  char const *path = portmapper_path;
  int ready = -1;
};

Endpoint host(Options const &options, std::string_view text) noexcept {
  for (Netid const netid : {Netid::udp, Netid::udp6}) {
    auto const endpoint = parse_universal(netid, (Text<64>(text) << ".0.0").view());
    if (endpoint) return *endpoint;
  }
  options.refuse((Text<128>("no IP address: ") << text).view());
}

Wanted read_options(Options &options) noexcept {
  Wanted wanted;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'd': wanted.registry = options.value(); break;
      case 'r': wanted.policy.forwards = true; break;
      case 'i': wanted.policy.insecure = true; break;
      case 'l': wanted.policy.verbose = true; break;
      case 'k': wanted.rows.follow = true; break;
      case 'h':
        if (!wanted.addresses.append(host(options, options.value()))) die_no_memory();
        break;
      case 'p': wanted.port = static_cast<uint16_t>(options.value_number(1, UINT16_MAX)); break;
      case 's': wanted.path = options.value(); break;
      case 'c': wanted.limits.connections = options.value_number(1, 100000); break;
      case 'C': wanted.limits.of_one = options.value_number(1, 100000); break;
      case 'b': wanted.limits.buffered = size_t{1024} * options.value_number(64, 1 << 20); break;
      case 't':
        wanted.limits.idle = options.value_number();
        if (wanted.limits.idle) wanted.limits.midway = std::min(wanted.limits.midway, wanted.limits.idle);
        break;
      case '1': wanted.ready = 1; break;
      case 'N': wanted.ready = options.value_descriptor(); break;
    }
  (void)options.arguments(0, 0);
  check_readiness(options, wanted.ready);
  return wanted;
}

void keep(Sockets &sockets, Socket socket) noexcept {
  if (!sockets.keep(static_cast<Socket &&>(socket))) die_no_memory();
}

/** Those that are given, or all that the options want. */
Sockets make_sockets(Options const &options, Wanted const &wanted) noexcept {
  Sockets sockets;
  auto const given = ListenFds::own();
  if (!given && given.error().code != ENOENT) die_sys(given.error(), "");
  if (given) {
    for (size_t i = 0; i < given->size(); ++i) {
      auto socket = adopt(Fd(given->fd(i)));
      if (!socket) die_sys(socket.error(), (Text<32>("descriptor ") << given->fd(i)).view());
      keep(sockets, static_cast<Socket &&>(*socket));
    }
    return sockets;
  }
  Text<64> where;
  auto const each = bind_each({wanted.addresses.begin(), wanted.addresses.size()}, wanted.port, sockets, where);
  if (!each) die_sys(each.error(), where.c_str());
  if (!*wanted.path) return sockets;
  super::BindOptions how;
  how.mode = 0666;
  auto bound = super::bind_local(LocalAddress::argument(options, wanted.path), how);
  if (!bound) die_sys(bound.error(), wanted.path);
  Socket local;
  local.fd = static_cast<Fd &&>(bound->fd);
  local.netid = Netid::local;
  keep(sockets, static_cast<Socket &&>(local));
  return sockets;
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-rpcbindd", argc, argv, help);
  Options options(argc, argv, "d:rilkwfh:p:s:c:C:b:t:1N:", help);
  Wanted wanted = read_options(options);
  Signals const signals = trap_ends();
  DescriptorLimit limit;
  (void)limit.raise();

  auto const sockets = make_sockets(options, wanted);
  auto const registry = Registry::open(wanted.registry);
  if (!registry) die_sys(registry.error(), wanted.registry);
  if (::geteuid() != registry->owner() || ::geteuid() == 0) {
    auto const owner = registry->owner();
    if (::geteuid() != 0) die_sys({EPERM, "write as another than its owner in"}, wanted.registry);
    if (owner != 0)
      if (auto const became = become(owner, primary_group(owner), {}); !became) die_sys(became.error(), wanted.registry);
  }
  Store store(*registry, wanted.rows);
  if (auto const opened = store.open(); !opened) die_sys(opened.error(), wanted.registry);
  if (auto const kept = register_own(store, sockets); !kept) die_sys(kept.error(), wanted.registry);
  Portmapper portmapper(store, wanted.policy);
  Server server(store, portmapper, sockets, wanted.limits);
  if (auto const opened = server.open(signals.fd()); !opened) die_sys(opened.error(), "");
  announce_readiness(wanted.ready);
  if (auto const served = server.run(); !served) die_sys(served.error(), "");
  return exits::done;
}
