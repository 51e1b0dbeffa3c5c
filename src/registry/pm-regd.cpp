// The registry's service: a stage that does for the process at the other end of descriptor 0 what only the registry's
// owner may do. One request after another, one client, one process.

#include <pm/base/peer.h>
#include <pm/base/program.h>
#include <pm/message/channel.h>
#include <pm/registry/arguments.h>
#include <pm/registry/regd.h>
#include <stdlib.h>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] [-t MS]\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -t MS        how long each step may take: a request, the registry's lock, the answer's way (default 10000)\n"
    "exit codes: 0 1 99 100 101 111\n";

/** A limit from the environment; not there or empty: `otherwise`. 0 is no limit. */
uint32_t limit(Options const &options, char const *variable, uint32_t otherwise) noexcept {
  char const *const text = ::getenv(variable);
  if (!text || !*text) return otherwise;
  auto const n = number<uint32_t>(text);
  if (!n) options.refuse((Text<512>("not a number in the environment: ") << variable << '=' << text).view());
  return *n;
}

/** What the rule that let the client in says. The owner and root are exempt: they could do it without us. */
Policy policy_for(Options const &options, uid_t client, uid_t owner) noexcept {
  Policy policy;
  policy.per_process = limit(options, "PM_LIMIT_PROCESS", policy.per_process);
  policy.per_user = limit(options, "PM_LIMIT_USER", policy.per_user);
  char const *const names = ::getenv("PM_NAMES");
  policy.names = names ? names : "";
  return client == 0 || client == owner ? Policy::unlimited() : policy;
}

Client identify(Peer const &peer) noexcept {
  auto const start = peer_start_time(0, peer);
  if (!start && start.error().code != ESRCH) die_sys(start.error(), (Text<32>("pid ") << peer.pid).view());
  return {peer.uid, peer.pid, start.value_or(0)};
}

/** Says who it was, and ends: 99 for a deadline, 1 for a client that does not keep to the protocol, else 111. */
[[noreturn]] void end(SysError error, Peer const &peer) noexcept {
  Text<64> const who = Text<64>("of pid ") << peer.pid << ", uid " << peer.uid;
  if (error.code != EPROTO && error.code != EMSGSIZE) die_sys(error, who.view());
  die(exits::no, "unable to ", error.doing, " ", who.view(), ": it is no message of this protocol");
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-regd", argc, argv, help);
  Options options(argc, argv, "r:t:", help);
  char const *path = Registry::default_path();
  uint32_t patience = 10000;
  for (int letter; (letter = options.next()) >= 0;)
    if (letter == 't') patience = options.value_number(1);
    else read_registry_option(options, letter, path);
  (void)options.arguments(0, 0);

  auto const peer = peer_of(0);
  if (!peer) die_sys(peer.error(), "descriptor 0");
  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  if (!registry->is_mine()) die_sys({EPERM, "write as another than the owner of"}, path);
  Service service(*registry, identify(*peer), policy_for(options, peer->uid, registry->owner()), patience, 0);
  message::Channel connection(0, 1);
  for (;;) {
    auto const message = connection.receive(Deadline::in(patience));
    if (!message) end(message.error(), *peer);
    if (!*message) return exits::done;
    auto const &asked = **message;
    if (asked.descriptors.size()) end({EPROTO, "take descriptors"}, *peer);
    // A descriptor that is under way counts against our user: a client has one of them at most.
    if (!connection.is_delivered()) end({EPROTO, "serve, before it took its answer, a request"}, *peer);
    auto const reply = service.serve(asked.type, asked.payload);
    if (!reply) end(reply.error(), *peer);
    int const descriptor = reply->descriptor.get();
    auto const sent = connection.send(static_cast<uint32_t>(reply->type), {reply->payload.begin(), reply->payload.size()},
                                      {&descriptor, reply->descriptor.valid() ? 1U : 0U}, Deadline::in(patience));
    if (!sent) end(sent.error(), *peer);
  }
}
