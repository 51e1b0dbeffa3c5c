// Allow or deny whoever is at the other end of descriptor 0; become PROG, or what the rule says.

#include <pm/base/program.h>
#include <pm/super/access.h>

namespace {

using namespace pm;
using namespace pm::super;

constexpr char help[] =
    "[-v N] -i DIR PROG...\n"
    "  -v N    say 0: errors; 1: and who is denied (default); 2: and who is allowed\n"
    "  -i DIR  the rules: uid/self uid/N gid/self gid/N uid/default, each with allow or deny, env/ and exec\n"
    "exit codes: 0 1 100 101 111 126 127\n";

void say(char const *verdict, Peer const &peer) noexcept {
  Text<96> who(verdict);
  who << " pid " << peer.pid << " uid " << peer.uid << " gid " << peer.gid;
  inform(who.view());
}

[[noreturn]] void die_of_rule(SysError error, char const *directory, Rules const &rules) noexcept {
  die_sys(error, (Text<4600>(directory) << '/' << rules.looked_at()).view());
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-access", argc, argv, help);
  Options options(argc, argv, "v:i:", help);
  uint32_t verbosity = 1;
  char const *directory = nullptr;
  for (int letter; (letter = options.next()) >= 0;)
    if (letter == 'v') verbosity = options.value_number();
    else directory = options.value();
  char const *const *const program = options.arguments(1);
  if (!directory) options.refuse("no rules without -i");

  auto const peer = peer_of(0);
  if (!peer) die_sys(peer.error(), "descriptor 0");
  auto rules = Rules::open(directory);
  if (!rules) die_sys(rules.error(), directory);
  auto const verdict = rules->decide(*peer);
  if (!verdict) die_of_rule(verdict.error(), directory, *rules);
  if (*verdict != Rules::Verdict::allow) {
    if (verbosity >= 1) say("deny", *peer);
    return exits::no;
  }
  Environment environment;
  if (auto const read = rules->read_environment(environment); !read) die_of_rule(read.error(), directory, *rules);
  auto const command = rules->read_command();
  if (!command) die_of_rule(command.error(), directory, *rules);
  if (verbosity >= 2) say("allow", *peer);
  if (command->empty()) return environment.exec(program);
  char const *const instead[] = {"execlineb", "-Pc", command->begin(), nullptr};
  return environment.exec(instead);
}
