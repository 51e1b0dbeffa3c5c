// Unlink the files of registrations when they end, and send the event `d` that a killed process could not send.

#include <fcntl.h>
#include <unistd.h>
#include "cli/program.h"
#include "cli/readiness.h"
#include "cli/registry_options.h"
#include "libpm/os/limits.h"
#include "libpm/os/signals.h"
#include "libpm/registry/remove.h"
#include "libpm/registry/sweeper.h"
#include "libpm/registry/watch.h"

namespace {

using namespace pm;
using namespace pm::registry;

struct ReapdSettings {
  char const *registry = Tree::default_path();
  int ready = -1;
};

constexpr CommandLine command_line(
    Synopsis{.program = "pm-reapd", .operands = "", .exits = "0 100 101 111"}, registry_option<&ReapdSettings::registry>(),
    option<as_descriptor, &ReapdSettings::ready>('N', "FD", "write a newline to FD once all dead registrations are removed"));

[[noreturn]] void die_unless_ended(char const *path, Failure const &failure) noexcept {
  if (is_cancelled(failure)) ::_exit(exits::done);
  die_failure(failure, "watch", "the registry", path);
}

/** Removes the registrations that have ended since the last look, all under one lock. */
void reap(Tree const &tree, RegistryWatch &watch, char const *path, int signals) noexcept {
  LiveRegistrations dead;
  auto const looked = watch.look([&](Changed changed, LiveRegistration const &registration) noexcept {
    // Keep those of the port mapper: they live again when another port mapper takes their token.
    if (changed != Changed::down || is_held_by_portmapper(registration.record)) return Done();
    // Another process that has removed it has sent its event.
    struct stat st;
    if (sys::fstatat(tree.dir(), registration.token().c_str(), &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT) return Done();
    return dead.add(registration) ? Done() : failed("reap", ENOMEM);
  });
  if (!looked) die_unless_ended(path, looked.error());
  if (dead.empty()) return;
  auto transaction = Transaction::begin(tree, {{}, signals});
  if (!transaction) die_unless_ended(path, transaction.error());
  for (size_t i = 0; i < dead.size(); ++i) {
    auto const removed = registry::remove(*transaction, dead[i].record.service, dead[i].owner, dead[i].name);
    if (!removed) die_unless_ended(path, removed.error());
  }
}

void sweep_all(Tree const &tree, char const *path) noexcept {
  if (auto const swept = sweep(tree, {}, Announces::end); !swept) die_unless_ended(path, swept.error());
}

} // namespace

int main(int argc, char const *const *argv) {
  ReapdSettings settings;
  (void)command_line.read(argc, argv, settings);
  check_readiness(settings.ready);

  Signals const ends = trap_ends();
  int const signals = ends.fd();
  DescriptorLimit limit;
  (void)limit.raise();

  auto const tree = open_tree(settings.registry);
  if (!tree.is_mine())
    die(exits::system, settings.registry, " belongs to another user: only its owner can remove registrations from it");
  auto watch = RegistryWatch::open(tree, {.service = {}, .version = {}, .trust = TrustedUsers::anyone()}, {{}, signals});
  if (!watch) die_unless_ended(settings.registry, watch.error());
  // First watch all living registrations, then remove all dead ones. So no end between the two is missed.
  reap(tree, *watch, settings.registry, signals);
  sweep_all(tree, settings.registry);
  announce_readiness(settings.ready);
  struct pollfd fds[] = {{signals, POLLIN, 0}, {watch->fd(), POLLIN, 0}};
  for (;;) {
    int const n = sys::poll(fds, 2, -1);
    if (n < 0 && errno != EINTR) die_sys({errno, "wait for"}, "deaths");
    if (n > 0 && fds[0].revents) return exits::done;
    if (n > 0 && fds[1].revents) reap(tree, *watch, settings.registry, signals);
  }
}
