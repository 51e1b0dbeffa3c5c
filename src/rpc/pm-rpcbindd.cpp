// The port mapper: portmap version 2 and rpcbind versions 3 and 4, over the registry's rows.

#include <pm/base/limits.h>
#include <pm/base/listen_fds.h>
#include <pm/base/privileges.h>
#include <pm/base/program.h>
#include <pm/base/signals.h>
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

/** Owns them. */
struct Sockets : List<Socket *> {
  Sockets() noexcept = default;
  Sockets(Sockets &&) noexcept = default;
  Sockets &operator=(Sockets &&) = delete;
  ~Sockets() {
    for (Socket *const socket : *this) Box<Socket> const last(socket);
  }
};

void keep(Sockets &sockets, Socket socket) noexcept {
  auto owned = make_box<Socket>(static_cast<Socket &&>(socket));
  if (!owned || !sockets.append(owned.release())) die_no_memory();
}

/** Without IPv6, or without an address of this host's, there is nothing to bind. */
bool is_absent(int code) noexcept {
  return code == EAFNOSUPPORT || code == EADDRNOTAVAIL;
}

void bind_addresses(Wanted &wanted, Sockets &sockets) noexcept {
  bool const all = wanted.addresses.empty();
  for (int const family : {AF_INET6, AF_INET}) {
    auto const more = all ? Endpoint::wildcard(family, 0) : Endpoint::loopback(family, 0);
    if (!wanted.addresses.append(more)) die_no_memory();
  }
  List<Endpoint> bound;
  size_t const named = wanted.addresses.size() - 2;
  for (size_t i = 0; i < wanted.addresses.size(); ++i) {
    Endpoint address = wanted.addresses[i];
    if (std::any_of(bound.begin(), bound.end(), [&](Endpoint const &e) noexcept { return same_host(e, address); })) continue;
    if (!bound.append(address)) die_no_memory();
    address.set_port(wanted.port);
    bool const v6 = address.family() == AF_INET6;
    for (Netid const netid : {v6 ? Netid::tcp6 : Netid::tcp, v6 ? Netid::udp6 : Netid::udp}) {
      auto socket = bind_ip(netid, address);
      if (!socket && v6 && i >= named && is_absent(socket.error().code)) break;
      if (!socket) die_sys(socket.error(), (Text<64>(name(netid)) << ':' << universal(address).view()).view());
      join_groups(*socket);
      keep(sockets, static_cast<Socket &&>(*socket));
    }
  }
}

/** Those that are given, or all that the options want. */
Sockets make_sockets(Options const &options, Wanted &wanted) noexcept {
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
  bind_addresses(wanted, sockets);
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

/** What is listened on, as rows: the order that rpcbind has. */
void register_own(Store &store, Sockets const &sockets, char const *registry) noexcept {
  List<uint32_t> versions;
  List<Address> addresses;
  for (Netid const netid : {Netid::tcp6, Netid::udp6, Netid::tcp, Netid::udp, Netid::local}) {
    auto const *const found =
        std::find_if(sockets.begin(), sockets.end(), [=](Socket const *s) noexcept { return s->netid == netid; });
    if (found == sockets.end()) continue;
    auto address = netid == Netid::local
                       ? Address::of_socket((*found)->fd.get())
                       : Result<Address>(*address_of(
                             netid, universal(Endpoint::wildcard(is_v6(netid) ? AF_INET6 : AF_INET, (*found)->port)).view()));
    if (!address) continue; // a relative path is none to tell others
    bool const oldest = netid == Netid::tcp || netid == Netid::udp;
    for (uint32_t version = highest_version; version >= (oldest ? 2U : 3U); --version)
      if (!versions.append(version) || !addresses.append(*address)) die_no_memory();
  }
  auto const kept = store.keep_own(portmapper_program, std::span(versions.begin(), versions.size()),
                                   std::span(addresses.begin(), addresses.size()));
  if (!kept) die_sys(kept.error(), registry);
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-rpcbindd", argc, argv, help);
  Options options(argc, argv, "d:rilkwfh:p:s:c:C:b:t:1N:", help);
  Wanted wanted = read_options(options);
  auto const signals = Signals::trap({SIGTERM, SIGINT, SIGHUP});
  if (!signals) die_sys(signals.error(), "");
  ::signal(SIGPIPE, SIG_IGN);
  DescriptorLimit limit;
  (void)limit.raise();

  auto sockets = make_sockets(options, wanted);
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
  register_own(store, sockets, wanted.registry);
  Portmapper portmapper(store, wanted.policy);
  Server server(store, portmapper, wanted.limits);
  if (auto const opened = server.open(signals->fd()); !opened) die_sys(opened.error(), "");
  for (Socket *const socket : sockets)
    if (auto const added = server.add(static_cast<Socket &&>(*socket)); !added) die_sys(added.error(), "");
  announce_readiness(wanted.ready);
  if (auto const served = server.run(); !served) die_sys(served.error(), "");
  return exits::done;
}
