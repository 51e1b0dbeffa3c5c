// The port mapper: portmap version 2 and rpcbind versions 3 and 4, over the registry's rows.

#include <stdlib.h>
#include <unistd.h>
#include "cli/given_sockets.h"
#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/registry_options.h"
#include "libpm/net/listen.h"
#include "libpm/net/listen_fds.h"
#include "libpm/os/limits.h"
#include "libpm/os/privileges.h"
#include "libpm/os/signals.h"
#include "libpm/rpc/own_rows.h"
#include "libpm/rpc/portmap_server.h"

namespace {

using namespace pm;
using namespace pm::rpc;
using registry::Tree;

struct RpcbinddSettings {
  char const *registry = registry::Tree::default_path();
  PortmapperOptions options;
  RowLimits row_limits;
  ConnectionLimits limits;
  List<SockAddr> addresses;
  uint16_t port = portmapper_port;
  char const *path = portmapper_path;
  char const *rules = nullptr;
  int ready = -1;
};

void as_host(Argument const &argument, SockAddr &host) noexcept {
  for (int const family : {AF_INET, AF_INET6})
    if (auto const address = SockAddr::parse_universal(family, (Text<64>(argument.text) << ".0.0").view())) {
      host = *address;
      return;
    }
  argument.refuse_unless("a numeric IPv4 or IPv6 address");
}

void as_advertised(Argument const &argument, PortmapperOptions &options) noexcept {
  SockAddr host;
  as_host(argument, host);
  if (host.is_wildcard() || host.is_multicast()) argument.refuse_unless("an address of a host");
  options.advertised[host.family() == AF_INET6] = host;
}

void as_kilobytes(Argument const &argument, size_t &bytes) noexcept {
  bytes = size_t{1024} * number_from(argument, 64, 1 << 20);
}

void as_idle(Argument const &argument, ConnectionLimits &limits) noexcept {
  as_number<>(argument, limits.idle);
  if (limits.idle) limits.midway = std::min(limits.midway, limits.idle);
}

constexpr CommandLine command_line(
    Synopsis{.program = "pm-rpcbindd", .operands = "", .exits = "0 99 100 101 111"},
    option<as_text, &RpcbinddSettings::registry>('d', "REGISTRY",
                                                 "the registry's directory (default: $PM_REGISTRY, or the one built in)"),
    flag<&RpcbinddSettings::options, &PortmapperOptions::forwards>('r', "forward calls"),
    flag<&RpcbinddSettings::options, &PortmapperOptions::insecure>('i', "let other hosts set and unset programs too"),
    flag<&RpcbinddSettings::options, &PortmapperOptions::verbose>('l', "log what is set, unset and refused"),
    flag<&RpcbinddSettings::row_limits, &RowLimits::follow>(
        'k', "unset the programs that a process set over the Unix socket when the process ends"),
    ignored<RpcbinddSettings>('w', "accepted: a restart always keeps what was set"),
    ignored<RpcbinddSettings>('f', "accepted: pm-rpcbindd always stays in the foreground"),
    option<as_text, &RpcbinddSettings::rules>('x', "RULES",
                                              "answer only the hosts that these rules allow, and this one: a directory with "
                                              "ip4/NET_BITS ip6/NET_BITS, each with allow or deny, or a cdb"),
    option<as_host, &RpcbinddSettings::addresses>('h', "ADDRESS", "listen on this address and on loopback only")
        .as(Form::repeated),
    option<as_advertised, &RpcbinddSettings::options>('A', "ADDRESS",
                                                      "tell other hosts this address of services on all addresses, as behind NAT")
        .as(Form::repeated),
    option<as_port, &RpcbinddSettings::port>('p', "PORT", "listen on this port (default 111)"),
    option<as_text, &RpcbinddSettings::path>('s', "PATH",
                                             "listen on this Unix socket (default /run/rpcbind.sock; empty: on none)"),
    option<as_number<1, 100000>, &RpcbinddSettings::limits, &ConnectionLimits::connections>(
        'c', "MAX", "connections at a time (default 512)"),
    option<as_number<1, 100000>, &RpcbinddSettings::limits, &ConnectionLimits::of_one>(
        'C', "PERPEER", "connections of one address or user at a time (default 64)"),
    option<as_kilobytes, &RpcbinddSettings::limits, &ConnectionLimits::buffered>(
        'b', "KB", "kilobytes of replies kept for all connections (default 8192)"),
    option<as_idle, &RpcbinddSettings::limits>(
        't', "MS", "close a connection after MS milliseconds without a call (default 60000; 0: never)"),
    sets<1, &RpcbinddSettings::ready>('1', "write a newline to standard output, and close it, when ready"),
    option<as_descriptor, &RpcbinddSettings::ready>('N', "FD", "write it to descriptor FD").as(Form::alternative));

void keep(RpcSockets &sockets, RpcSocket socket) noexcept {
  if (!sockets.keep(static_cast<RpcSocket &&>(socket))) die_no_memory();
}

/** Takes the sockets that the supervisor passed (LISTEN_FDS), or binds those that the options name. */
RpcSockets make_sockets(RpcbinddSettings const &wanted) noexcept {
  RpcSockets sockets;
  auto const given = ListenFds::own();
  if (!given && given.error().code != ENOENT) die_of_listen_fds(given.error());
  if (!given) warn_of_other_listen_fds();
  if (given) {
    for (size_t i = 0; i < given->size(); ++i) {
      auto socket = adopt(Fd(given->fd(i)));
      if (!socket) die_sys(socket.error(), (Text<32>("descriptor ") << given->fd(i)).view());
      keep(sockets, static_cast<RpcSocket &&>(*socket));
    }
    return sockets;
  }
  Text<64> where;
  auto const each = bind_each({wanted.addresses.begin(), wanted.addresses.size()}, wanted.port, sockets, where);
  if (!each) die_sys(each.error(), where.c_str());
  if (!*wanted.path) return sockets;
  auto const path = local_address({"-s", wanted.path});
  auto bound = bind_local(path);
  if (!bound) die_sys(bound.error(), wanted.path);
  keep(sockets, static_cast<RpcSocket &&>(*bound));
  // libtirpc 1.3.5 and Linux 6.5 call the abstract name first. If another user has it, clients that use the path are still served.
  Text<local_path_max + 2> const name = Text<local_path_max + 2>("@") << wanted.path;
  auto const abstract = *wanted.path == '/' ? SockAddr::of_path(name.view()) : Result<SockAddr>(path);
  if (!abstract || !abstract->is_abstract()) return sockets;
  auto beside = bind_local(*abstract);
  if (beside) keep(sockets, static_cast<RpcSocket &&>(*beside));
  else warn_sys(beside.error(), name.view());
  return sockets;
}

} // namespace

int main(int argc, char const *const *argv) {
  RpcbinddSettings wanted;
  (void)command_line.read(argc, argv, wanted);
  check_readiness(wanted.ready);
  Signals const signals = trap_ends();
  DescriptorLimit limit;
  (void)limit.raise();

  auto const sockets = make_sockets(wanted);
  auto const tree = registry::open_tree(wanted.registry);
  if (::geteuid() != tree.owner() || ::geteuid() == 0) {
    auto const owner = tree.owner();
    if (::geteuid() != 0) die(exits::system, wanted.registry, " belongs to another user: only root and its owner can serve it");
    if (owner != 0)
      if (auto const became = become(owner, primary_group(owner), {}); !became) die_sys(became.error(), wanted.registry);
  }
  RegistryRows rows(tree, wanted.row_limits);
  if (auto const opened = rows.open(); !opened) die_sys(opened.error(), wanted.registry);
  if (auto const kept = register_own(rows, sockets); !kept) die_sys(kept.error(), wanted.registry);
  StandardErrorLog log;
  std::optional<ClientRules> rules;
  if (wanted.rules) {
    auto opened = ClientRules::open(wanted.rules);
    if (!opened) die_sys(opened.error(), wanted.rules);
    wanted.options.rules = &rules.emplace(std::move(*opened));
  }
  Portmapper portmapper(rows, wanted.options, log);
  PortmapServer server(rows, portmapper, sockets, wanted.limits, log);
  registry::RemovalWatch removal(tree);
  if (auto const opened = server.open(signals.fd(), removal); !opened) die_sys(opened.error(), "");
  announce_readiness(wanted.ready);
  if (auto const served = server.run(); !served) registry::die_in(wanted.registry, served.error());
  return exits::done;
}
