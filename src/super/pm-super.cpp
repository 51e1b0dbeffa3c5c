// Bind a Unix socket, become somebody else, and start PROG for each connection.

#include <pm/base/privileges.h>
#include <pm/base/program.h>
#include <pm/super/bind.h>
#include <pm/super/server.h>
#include <stdlib.h>
#include <unistd.h>
#include <optional>

namespace {

using namespace pm;
using namespace pm::super;

constexpr char help[] =
    "[-q | -Q | -v] [-d | -D] [-P | -p] [-1 | -N FD] [-c MAX] [-C PERUSER] [-b BACKLOG] [-a MODE] [-G GROUPS] [-g GROUP] "
    "[-u USER] [-U] ADDRESS PROG...\n"
    "  -q          say errors only\n"
    "  -Q          and warnings (default)\n"
    "  -v          and each start and end\n"
    "  -d          replace the path if no server lives there (default)\n"
    "  -D          refuse any path that exists\n"
    "  -P          do not ask who connects\n"
    "  -p          ask (default)\n"
    "  -1          write a newline to standard output, and close it, when connections are accepted\n"
    "  -N FD       the same on descriptor FD\n"
    "  -c MAX      connections at a time (default 40, at most 100000); more wait\n"
    "  -C PERUSER  connections of one user at a time (default: as -c); more are closed\n"
    "  -b BACKLOG  connections that may wait to be accepted (default 128)\n"
    "  -a MODE     permissions of the path, in octal (default 777)\n"
    "  -G GROUPS   once bound, have these supplementary groups, with commas between them\n"
    "  -g GROUP    once bound, be of this group\n"
    "  -u USER     once bound, be this user; without -g of his primary group, without -G of no other\n"
    "  -U          the same of $UID, $GID and $GIDLIST, which PROG does not get\n"
    "ADDRESS: PATH local:PATH local:@NAME\n"
    "exit codes: 0 100 101 111\n";

/** Who to be once the socket is bound; what is not said stays as it is, but for the groups of another user. */
struct Identity {
  std::optional<uid_t> user;
  std::optional<gid_t> group;
  std::optional<List<gid_t>> groups;
};

struct Wanted {
  BindOptions socket;
  ServerOptions server;
  Identity identity;
};

template <class Number>
Number number_in(Options const &options, char const *variable) noexcept {
  char const *const text = ::getenv(variable);
  auto const n = number<Number>(text ? text : "");
  if (!n || *n == static_cast<Number>(-1))
    options.refuse((Text<64>("-U needs a number in the environment: ") << variable).view());
  return *n;
}

/** -U; what other options say goes before it, wherever they are. */
void identify_by_environment(Options const &options, Identity &identity) noexcept {
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
  if (!identity.groups) identity.groups = static_cast<List<gid_t> &&>(groups);
  for (char const *const variable : {"UID", "GID", "GIDLIST"}) ::unsetenv(variable);
}

Wanted read_options(Options &options) noexcept {
  Wanted wanted;
  bool by_environment = false;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'q': wanted.server.verbosity = 0; break;
      case 'Q': wanted.server.verbosity = 1; break;
      case 'v': wanted.server.verbosity = 2; break;
      case 'u': wanted.identity.user = options.value_user(); break;
      case 'g': wanted.identity.group = options.value_group(); break;
      case 'G': wanted.identity.groups = options.value_groups(); break;
      case 'U': by_environment = true; break;
      default: read_bind_option(options, letter, wanted.socket); read_server_option(options, letter, wanted.server);
    }
  // What does not listen cannot be served.
  if (!wanted.socket.backlog) wanted.socket.backlog = 1;
  check_server_options(options, wanted.server);
  if (by_environment) identify_by_environment(options, wanted.identity);
  return wanted;
}

Done change(Identity &wanted) noexcept {
  if (!wanted.user && !wanted.group && !wanted.groups) return {};
  List<gid_t> groups;
  if (wanted.groups) {
    groups = static_cast<List<gid_t> &&>(*wanted.groups);
  } else if (!wanted.user) {
    auto own = own_groups();
    if (!own) return fail(own);
    groups = static_cast<List<gid_t> &&>(*own);
  }
  gid_t const group = wanted.group ? *wanted.group : wanted.user ? primary_group(*wanted.user) : ::getegid();
  return become(wanted.user.value_or(::geteuid()), group, {groups.begin(), groups.size()});
}

/** Until a signal ends it. */
Done serve(Wanted &wanted, int socket, char const *const *program) noexcept {
  if (sys::dup2(socket, 0) < 0) return failed("have descriptor 0 for");
  sys::close(socket);
  if (auto const changed = change(wanted.identity); !changed) return changed;
  auto connections = Connections::make(wanted.server.most);
  if (!connections) return fail(connections);
  return Server(wanted.server, static_cast<Connections &&>(*connections), program).run();
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-super", argc, argv, help);
  Options options(argc, argv, "qQvdDPp1N:c:C:b:a:G:g:u:U", help);
  Wanted wanted = read_options(options);
  char const *const *const arguments = options.arguments(2);
  auto const name = LocalAddress::argument(options, arguments[0]);

  auto bound = bind_local(name, wanted.socket);
  if (!bound) die_sys(bound.error(), arguments[0]);
  auto const served = serve(wanted, bound->fd.release(), arguments + 1);
  // Still open, the socket keeps others from replacing the path in between.
  remove_path(*bound, name);
  if (!served) die_sys(served.error(), arguments[0]);
  return exits::done;
}
