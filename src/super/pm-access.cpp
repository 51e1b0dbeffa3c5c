// Allow or deny the peer of descriptor 0 by rules. If it is allowed, execute PROG, or the command of the rule.

#include "cli/arguments.h"
#include "cli/program.h"
#include "libpm/net/access_rules.h"
#include "libpm/net/hang_up.h"

namespace {

using namespace pm;

struct AccessSettings {
  uint32_t verbosity = 1;
  bool names = false;
  char const *rules = nullptr;
  bool is_file = false;
};

void as_directory(Argument const &argument, AccessSettings &settings) noexcept {
  settings.rules = argument.text.data();
  settings.is_file = false;
}

void as_file(Argument const &argument, AccessSettings &settings) noexcept {
  settings.rules = argument.text.data();
  settings.is_file = true;
}

constexpr CommandLine command_line(
    Synopsis{.program = "pm-access", .operands = "PROG...", .exits = "0 1 100 101 111 126 127"},
    option<as_number<>, &AccessSettings::verbosity>('v', "N", "log 0: errors; 1: and refusals (default); 2: and admissions"),
    flag<&AccessSettings::names>('n', "look for the names of users and groups too"),
    option<as_directory>('i', "DIR",
                         "the rules: uid/self uid/N gid/self gid/N uid/default, or ip4/NET_BITS ip6/NET_BITS, each with allow or "
                         "deny, env/ and exec")
        .as(Form::required),
    option<as_file>('x', "FILE", "the rules in a cdb, as s6-accessrules-cdb-from-fs makes it").as(Form::alternative));

/** The peer: a process of this host, or an IP address. */
struct Who {
  std::optional<Peer> peer;
  SockAddr name;
};

Result<Who> know_peer() noexcept {
  Who who;
  auto const name = SockAddr::of_peer(0, "get the peer of");
  if (!name) return fail(name);
  who.name = *name;
  if (name->is_ip()) return who;
  auto peer = peer_of(0);
  if (!peer) return fail(peer);
  who.peer = static_cast<Peer &&>(*peer);
  return who;
}

/** Whether descriptor 0 is a TCP connection that the peer has reset. The kernel does not report the peer any more. */
bool is_reset(SysError error) noexcept {
  if (error.code != ENOTCONN) return false;
  auto const own = SockAddr::of_socket(0);
  int type = 0, listening = 1;
  socklen_t size = sizeof type;
  bool const known = sys::getsockopt(0, SOL_SOCKET, SO_TYPE, &type, &size) == 0 &&
                     sys::getsockopt(0, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0;
  return known && own && own->is_ip() && own->port() && type == SOCK_STREAM && !listening;
}

void say(char const *verdict, Who const &who) noexcept {
  Text<128> text(verdict);
  if (who.peer) {
    text << " pid " << who.peer->pid << " uid " << who.peer->uid << " gid " << who.peer->gid;
  } else {
    text << " ip " << who.name.host().view() << " port " << who.name.port();
  }
  inform(text.view());
}

[[noreturn]] void die_of_rule(SysError error, char const *directory, AccessRules const &rules) noexcept {
  die_sys(error, (Text<4600>(directory) << '/' << rules.looked_at()).view());
}

} // namespace

int main(int argc, char const *const *argv) {
  AccessSettings settings;
  char const *const *const program = command_line.read(argc, argv, settings);
  char const *const directory = settings.rules;
  if (!directory) refuse("-i or -x is missing");

  auto const who = know_peer();
  if (!who && is_reset(who.error())) {
    if (settings.verbosity >= 1) inform("deny: the peer has reset the connection");
    return exits::no;
  }
  if (!who) die_sys(who.error(), "descriptor 0");
  auto rules = settings.is_file ? AccessRules::open_cdb(directory) : AccessRules::open(directory);
  if (!rules) die_sys(rules.error(), directory);
  if (settings.names) rules->look_for_names();
  auto const verdict = who->peer ? rules->decide(*who->peer) : rules->decide(who->name);
  if (!verdict) die_of_rule(verdict.error(), directory, *rules);
  if (*verdict != AccessRules::Verdict::allow) {
    if (settings.verbosity >= 1) say("deny", *who);
    hang_up(0);
    return exits::no;
  }
  Environment environment;
  if (auto const read = rules->read_environment(environment); !read) die_of_rule(read.error(), directory, *rules);
  auto const command = rules->read_command();
  if (!command) die_of_rule(command.error(), directory, *rules);
  if (settings.verbosity >= 2) say("allow", *who);
  if (command->empty()) return execute(environment, program);
  char const *const instead[] = {"execlineb", "-Pc", command->begin(), nullptr};
  return execute(environment, instead);
}
