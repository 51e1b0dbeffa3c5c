// Unlink what dies as it dies, and send the event that the dead could not send.

#include <pm/base/limits.h>
#include <pm/base/program.h>
#include <pm/base/signals.h>
#include <pm/events/watch.h>
#include <pm/registry/arguments.h>
#include <pm/registry/writer.h>
#include <unistd.h>

namespace {

using namespace pm;
using namespace pm::registry;

constexpr char help[] =
    "[-r REGISTRY] [-N FD]\n"
    "  -r REGISTRY  the registry's directory (default: $PM_REGISTRY, or the one built in)\n"
    "  -N FD        write a newline to FD once all that was dead is gone\n"
    "exit codes: 0 100 101 111\n";

[[noreturn]] void die_in(char const *path, Failure const &failure) noexcept {
  if (is_cancelled(failure)) ::_exit(exits::done);
  die_failure(failure, "watch", "the registry", path);
}

/**
 * Removes what died since the last look; the lock is held once for all of it. How many more comings were announced than
 * seen: those died before the look, and are not in it; or fewer, whose announcement is still to be read.
 */
int reap(Registry const &registry, events::Watch &watch, char const *path, int signals) noexcept {
  List<Ticket> dead;
  int seen = 0;
  auto const looked = watch.look([&](events::Changed changed, Instance const &instance) noexcept {
    seen += changed != events::Changed::down;
    // Rows are waiting for the port mapper.
    if (changed != events::Changed::down || instance.is_row) return Done();
    return dead.append(make_ticket(instance.record.service, instance.owner, instance.id)) ? Done() : failed("reap", ENOMEM);
  });
  if (!looked) die_in(path, looked.error());
  int const unseen = static_cast<int>(*looked) - seen;
  if (dead.empty()) return unseen;
  auto writer = Writer::begin(registry, {}, signals);
  if (!writer) die_in(path, writer.error());
  for (Ticket const &ticket : dead)
    if (auto const removed = writer->remove(ticket); !removed) die_in(path, removed.error());
  return unseen;
}

void sweep_all(Registry const &registry, char const *path) noexcept {
  if (auto const swept = sweep(registry, {}, true); !swept) die_in(path, swept.error());
}

} // namespace

int main(int argc, char const *const *argv) {
  start("pm-reapd", argc, argv, help);
  Options options(argc, argv, "r:N:", help);
  char const *path = Registry::default_path();
  int ready = -1;
  for (int letter; (letter = options.next()) >= 0;)
    if (letter == 'N') ready = options.value_descriptor();
    else read_registry_option(options, letter, path);
  (void)options.arguments(0, 0);
  check_readiness(options, ready);

  Signals const ends = trap_ends();
  int const signals = ends.fd();
  DescriptorLimit limit;
  (void)limit.raise();

  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  if (!registry->is_mine()) die_in(path, SysError{EPERM, "write as another than its owner"});
  auto watch = events::Watch::open(*registry, {.service = {}, .version = {}, .whose = Whose::anyone()}, {}, signals);
  if (!watch) die_in(path, watch.error());
  // First all that is alive is watched, then all that is dead is removed: nothing dies unseen between the two.
  (void)reap(*registry, *watch, path, signals);
  sweep_all(*registry, path);
  announce_readiness(ready);
  struct pollfd fds[] = {{signals, POLLIN, 0}, {watch->fd(), POLLIN, 0}};
  for (int unseen = 0;;) {
    int const n = sys::poll(fds, 2, -1);
    if (n < 0 && errno != EINTR) die_sys({errno, "wait for"}, "deaths");
    if (n > 0 && fds[0].revents) return exits::done;
    if (n > 0 && fds[1].revents) unseen += reap(*registry, *watch, path, signals);
    if (unseen > 0) {
      sweep_all(*registry, path);
      unseen = 0;
    }
  }
}
