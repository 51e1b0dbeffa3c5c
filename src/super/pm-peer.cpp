// Put the credentials of descriptor 0's peer into the environment, then execute PROG.

#include <unistd.h>
#include "cli/command_line.h"
#include "cli/program.h"
#include "libpm/net/peer.h"
#include "libpm/os/overflow_user.h"
#include "libpm/os/privileges.h"

namespace {

using namespace pm;

struct PeerSettings {
  bool becoming = false;
};

constexpr CommandLine command_line(Synopsis{.program = "pm-peer", .operands = "PROG...", .exits = "0 100 101 111 126 127"},
                                   flag<&PeerSettings::becoming>('U', "become the peer: its groups and gid, then its uid"));

void describe(Peer const &peer, Environment &environment) noexcept {
  auto const set = [&](char const *variable, bool known, auto value) noexcept {
    if (known) environment.set(variable, (Text<32>() << value).view());
    else environment.unset(variable);
  };
  auto const start = peer_start_time(0, peer);
  set("PM_PEER_UID", true, peer.uid);
  set("PM_PEER_GID", true, peer.gid);
  set("PM_PEER_PID", peer.pid > 0, peer.pid);
  set("PM_PEER_START", start.has_value(), start.value_or(0));

  auto const label = peer_label(0);
  if (!label) die_sys(label.error(), "descriptor 0");
  if (*label) environment.set("PM_PEER_LABEL", (**label).view());
  else environment.unset("PM_PEER_LABEL");

  if (!peer.groups) return environment.unset("PM_PEER_GROUPS");
  List<char> groups;
  for (gid_t const &group : *peer.groups) {
    Text<16> text(groups.empty() ? "" : " ");
    if (!append(groups, (text << group).view())) die_no_memory();
  }
  environment.set("PM_PEER_GROUPS", {groups.begin(), groups.size()});
}

void become_peer(Peer const &peer) noexcept {
  Text<64> const who = Text<64>("the peer, user ") << peer.uid;
  if (is_overflow_user(peer.uid))
    die(exits::system, "unable to become ", who.view(),
        ": this user namespace does not map all users, and that uid names several");
  if (::geteuid() != 0) {
    // A super-server of the peer's own user: this process already has the identity.
    if (peer.uid != ::geteuid() || peer.uid != ::getuid()) die_sys({EPERM, "become"}, who.view());
    return;
  }
  if (!peer.groups) die_sys({ENOPROTOOPT, "get the groups of"}, who.view());
  if (auto const became = become(peer.uid, peer.gid, {peer.groups->begin(), peer.groups->size()}); !became)
    die_sys({became.error().code, "become"}, who.view());
}

} // namespace

int main(int argc, char const *const *argv) {
  PeerSettings settings;
  char const *const *const program = command_line.read(argc, argv, settings);

  auto const peer = peer_of(0);
  if (!peer) die_sys(peer.error(), "descriptor 0");
  Environment environment;
  describe(*peer, environment);
  if (settings.becoming) become_peer(*peer);
  return execute(environment, program);
}
