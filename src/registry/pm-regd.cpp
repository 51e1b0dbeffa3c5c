// The registry's service. A super-server starts one process for each client, with the connection as descriptors 0 and 1. It makes
// changes for the client that only the registry's owner may make, one request after another.

#include <stdlib.h>
#include "cli/registry_options.h"
#include "libpm/message/channel.h"
#include "libpm/net/peer.h"
#include "libpm/os/process.h"
#include "libpm/registry/service.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct RegdSettings {
  char const *registry = Tree::default_path();
  uint32_t timeout = 10000;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-regd", .operands = "", .exits = "0 1 99 100 101 111"}, registry_option<&RegdSettings::registry>(),
    option<as_number<1>, &RegdSettings::timeout>(
        't', "MS",
        "the time limit of each step: receiving a request, taking the registry's lock, sending a reply (default 10000)"));

/** Reads a limit from the environment. Unset or empty: `otherwise`. 0: no limit. */
uint32_t limit(char const *variable, uint32_t otherwise) noexcept {
  char const *const text = ::getenv(variable);
  if (!text || !*text) return otherwise;
  auto const n = number<uint32_t>(text);
  if (!n) Argument{variable, text}.refuse_unless("a number");
  return *n;
}

/**
 * The limits and names of the rule that admitted the client. The owner and root are exempt: they can write to the registry
 * directly.
 */
Policy policy_for(uid_t client, uid_t owner) noexcept {
  Policy policy;
  policy.per_process = limit("PM_LIMIT_PROCESS", policy.per_process);
  policy.per_user = limit("PM_LIMIT_USER", policy.per_user);
  char const *const names = ::getenv("PM_NAMES");
  policy.names = names ? names : "";
  return client == 0 || client == owner ? Policy::unlimited() : policy;
}

Registrant identify(Peer const &peer, Tree const &tree) noexcept {
  auto const start = peer_start_time(0, peer);
  Registrant who = {peer.uid, peer.pid, start.value_or(0)};
  who.named = !tree.is_overflow_user(peer.uid);
  if (start) return who;
  who.ended = start.error().code == ESRCH;
  if (!who.ended && !is_hidden_process(start.error())) die_sys(start.error(), (Text<32>("pid ") << peer.pid).view());
  // Without a pidfd (before Linux 6.5) the pid may be another process's by now, and the client must not speak for that one.
  who.hidden = !who.ended && peer_process(0).valid();
  return who;
}

/** Ends the program: with 99 after a time limit, with 1 if the client breaks the protocol or has gone, otherwise with 111. */
[[noreturn]] void end(SysError error, Peer const &peer) noexcept {
  Text<64> const who = Text<64>("of pid ") << peer.pid << ", uid " << peer.uid;
  if (error.code == EPIPE || error.code == ECONNRESET) die(exits::no, who.view().substr(3), " has closed the connection");
  if (error.code != EPROTO && error.code != EMSGSIZE) die_sys(error, who.view());
  die(exits::no, "unable to ", error.doing, " ", who.view(), ": not a message of this protocol");
}

} // namespace

int main(int argc, char const *const *argv) {
  RegdSettings settings;
  (void)command_line.read(argc, argv, settings);

  auto const peer = peer_of(0);
  if (!peer) die_sys(peer.error(), "descriptor 0");
  auto const tree = open_tree(settings.registry);
  if (!tree.is_mine()) die(exits::system, settings.registry, " belongs to another user: only its owner can serve it");
  ChangeService service(tree, identify(*peer, tree), policy_for(peer->uid, tree.owner()), settings.timeout, 0);
  message::Channel connection(0, 1, protocol::registry_protocol);
  for (;;) {
    auto const message = connection.receive(time_limit(settings.timeout));
    if (!message) end(message.error(), *peer);
    if (!*message) return exits::done;
    auto &asked = **message;
    // A descriptor in flight counts against this process's user (unix(7), ETOOMANYREFS), so allow one for each client.
    if (!message::is_delivered(1))
      die(exits::no, "client sent a request before reading the last reply",
          (Text<64>(" (pid ") << peer->pid << ", uid " << peer->uid << ')').view());
    auto const reply = service.serve(asked);
    if (!reply) end(reply.error(), *peer);
    int const descriptor = reply->descriptor.get();
    auto const sent = connection.send(reply->type, {reply->payload.begin(), reply->payload.size()},
                                      {&descriptor, reply->descriptor.valid() ? 1U : 0U}, time_limit(settings.timeout));
    if (!sent) end(sent.error(), *peer);
  }
}
