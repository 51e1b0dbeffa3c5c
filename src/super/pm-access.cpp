// Allow or deny whoever is at the other end of descriptor 0; become PROG, or what the rule says.

#include <pm/base/program.h>
#include <pm/super/access.h>

namespace {

using namespace pm;
using namespace pm::super;

constexpr char help[] =
    "[-v N] [-n] -i DIR | -x FILE PROG...\n"
    "  -v N     say 0: errors; 1: and who is denied (default); 2: and who is allowed\n"
    "  -n       look for the names of users and groups, too\n"
    "  -i DIR   the rules: uid/self uid/N gid/self gid/N uid/default, or ip4/NET_BITS ip6/NET_BITS, each with allow or deny, "
    "env/ and "
    "exec\n"
    "  -x FILE  the same in a cdb, as s6-accessrules-cdb-from-fs makes it\n"
    "exit codes: 0 1 100 101 111 126 127\n";

/** Who is at the other end: a process of this host, or an IP address. */
struct Who {
  std::optional<Peer> peer;
  SocketName name = {};
};

Result<Who> know_peer() noexcept {
  Who who;
  socklen_t size = sizeof who.name;
  if (sys::getpeername(0, &who.name.any, &size) < 0) return failed("know the peer of");
  if (who.name.any.sa_family == AF_INET || who.name.any.sa_family == AF_INET6) return who;
  auto peer = peer_of(0);
  if (!peer) return fail(peer);
  who.peer = static_cast<Peer &&>(*peer);
  return who;
}

void say(char const *verdict, Who const &who) noexcept {
  Text<128> text(verdict);
  if (who.peer) {
    text << " pid " << who.peer->pid << " uid " << who.peer->uid << " gid " << who.peer->gid;
  } else {
    auto const ip = ip_of(who.name);
    text << " ip " << ip.host.view() << " port " << ip.port;
  }
  inform(text.view());
}

[[noreturn]] void die_of_rule(SysError error, char const *directory, Rules const &rules) noexcept {
  die_sys(error, (Text<4600>(directory) << '/' << rules.looked_at()).view());
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-access", argc, argv, help);
  Options options(argc, argv, "v:ni:x:", help);
  uint32_t verbosity = 1;
  char const *directory = nullptr;
  bool is_file = false, names = false;
  for (int letter; (letter = options.next()) >= 0;) switch (letter) {
      case 'v': verbosity = options.value_number(); break;
      case 'n': names = true; break;
      default: directory = options.value(), is_file = letter == 'x';
    }
  char const *const *const program = options.arguments(1);
  if (!directory) options.refuse("no rules without -i or -x");

  auto const who = know_peer();
  if (!who) die_sys(who.error(), "descriptor 0");
  auto rules = is_file ? Rules::open_cdb(directory) : Rules::open(directory);
  if (!rules) die_sys(rules.error(), directory);
  if (names) rules->look_for_names();
  auto const verdict = who->peer ? rules->decide(*who->peer) : rules->decide(who->name);
  if (!verdict) die_of_rule(verdict.error(), directory, *rules);
  if (*verdict != Rules::Verdict::allow) {
    if (verbosity >= 1) say("deny", *who);
    return exits::no;
  }
  Environment environment;
  if (auto const read = rules->read_environment(environment); !read) die_of_rule(read.error(), directory, *rules);
  auto const command = rules->read_command();
  if (!command) die_of_rule(command.error(), directory, *rules);
  if (verbosity >= 2) say("allow", *who);
  if (command->empty()) return environment.exec(program);
  char const *const instead[] = {"execlineb", "-Pc", command->begin(), nullptr};
  return environment.exec(instead);
}
