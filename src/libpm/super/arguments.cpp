#include <pm/super/arguments.h>

#include <fcntl.h>
#include <stdlib.h>
#include <utility>

namespace pm::super {

namespace {

/** Some 10 MB of tables, when they are used; a host has fewer processes by default. */
constexpr uint32_t most_connections = 100000;

void refuse_more(Options const &options, Bindings const &sockets) noexcept {
  if (sockets.full()) options.refuse("more than 64 sockets");
}

template <class Number>
Number number_in(Options const &options, char const *variable) noexcept {
  char const *const text = ::getenv(variable);
  auto const n = number<Number>(text ? text : "");
  if (!n || *n == static_cast<Number>(-1))
    options.refuse((Text<64>("-U needs a number in the environment: ") << variable).view());
  return *n;
}

} // namespace

void read_bind_option(Options const &options, int letter, BindOptions &wanted) noexcept {
  switch (letter) {
    case 'd': wanted.replace = true; break;
    case 'D': wanted.replace = false; break;
    case 'b': wanted.backlog = options.value_number(0, INT32_MAX); break;
    case 'a': wanted.mode = options.value_mode(); break;
    case 'o': options.value_owner(wanted.owner, wanted.group); break;
    case 'S': wanted.type = SOCK_SEQPACKET; break;
    case 'm': wanted.type = SOCK_DGRAM; break;
    case 'r': wanted.share = true; break;
    case '4': wanted.only_v6 = false; break;
    case 'A': wanted.say_address = true; break;
  }
}

void add_socket(Options const &options, Bindings &sockets, std::string_view name, char const *address) noexcept {
  refuse_more(options, sockets);
  sockets.add(name, SocketAddress::argument(options, address, 0), address);
}

void add_named_socket(Options const &options, Bindings &sockets, char const *name_and_address) noexcept {
  auto const [name, address, found] = cut(name_and_address, '=');
  if (!found || !is_listen_name(name)) options.refuse((Text<512>("-n is no NAME=ADDRESS: ") << name_and_address).view());
  // What follows the sign ends where the argument does.
  add_socket(options, sockets, name, address.data());
}

void add_outer_socket(Options const &options, Bindings &sockets, char const *name) noexcept {
  refuse_more(options, sockets);
  if (!is_listen_name(name)) options.refuse((Text<512>("-L is no name: ") << name).view());
  sockets.add_outer(name);
}

WorkerSocket worker_socket_argument(Options const &options, std::string_view address, BindOptions const &binding) noexcept {
  WorkerSocket socket;
  if (address.starts_with("fd:")) {
    auto const n = number<int>(cut(address, ':').tail);
    if (!n) options.refuse((Text<512>("not an address: ") << address).view());
    int const flags = sys::fcntl(*n, F_GETFL);
    if (flags < 0 || sys::fcntl(*n, F_SETFL, flags | O_NONBLOCK) < 0 || sys::fcntl(*n, F_SETFD, FD_CLOEXEC) < 0)
      die_sys({errno, "take descriptors from"}, address);
    socket.bound.fd.reset(*n);
    return socket;
  }
  socket.name = LocalAddress::argument(options, address);
  auto made = bind_local(*socket.name, binding);
  if (!made) die_sys(made.error(), socket.name->text());
  socket.bound = std::move(*made);
  return socket;
}

bool read_server_option(Options const &options, int letter, ServerOptions &wanted) noexcept {
  switch (letter) {
    case '1': wanted.ready = 1; break;
    case 'N': wanted.ready = options.value_descriptor(); break;
    case 'p': wanted.credentials = true; break;
    case 'P': wanted.credentials = false; break;
    case 'c': wanted.most = options.value_number(1, most_connections); break;
    case 'C': wanted.most_of_one = options.value_number(1); break;
    case 'L': wanted.outer = true; break;
    case 'R': options.value_rate(wanted.starts, wanted.starts_ms, most_connections); break;
    case 'F': options.value_rate(wanted.failures, wanted.failures_ms, most_connections); break;
    case 'I': wanted.idle = options.value_number(1); break;
    case 'W': wanted.banner = options.value(); break;
    case 'X': wanted.tell = true; break;
    default: return false;
  }
  return true;
}

void check_server_options(Options const &options, ServerOptions const &wanted) noexcept {
  if (wanted.ready == 0) options.refuse("-N 0 is where connections come from");
  check_readiness(options, wanted.ready);
}

void add_environment(Options const &options, Identity &identity) noexcept {
  auto const user = number_in<uid_t>(options, "UID");
  auto const group = number_in<gid_t>(options, "GID");
  char const *const list = ::getenv("GIDLIST");
  if (!list) options.refuse("-U needs numbers in the environment: GIDLIST");
  List<gid_t> groups;
  for (Cut rest = {{}, list, *list != 0}; rest.found;) {
    rest = cut(rest.tail, ',');
    auto const n = number<gid_t>(rest.head);
    if (!n) options.refuse("-U needs numbers in the environment: GIDLIST");
    if (!groups.append(*n)) die_no_memory();
  }
  if (!identity.user) identity.user = user;
  if (!identity.group) identity.group = group;
  if (!identity.groups) identity.groups = std::move(groups);
  for (char const *const variable : {"UID", "GID", "GIDLIST"}) ::unsetenv(variable);
}

} // namespace pm::super
