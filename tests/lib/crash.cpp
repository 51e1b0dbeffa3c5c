// A writer is stopped at each system call of each change, looked at by readers, killed there, and looked at again. Then
// the next writer must be able to do what it wants, every listener must know that something changed, and a sweep must
// leave nothing. FAULTS: SIGKILL of any process at any instruction; a writer stopped with the lock.

#include "../fault/fault.h"
#include "each_call.h"
#include "world.h"

#include <sys/wait.h>
#include "libpm/util/skalibs.h"

namespace {

/** Where in a change a kill found it. */
struct Tally {
  unsigned calls = 0, locked = 0;
};

/** One kill at the nth call; whether the change got that far. */
bool kill_at(TestedChange const &change, unsigned nth, Tally &tally) noexcept {
  World world;
  NewRegistrations kept = change.prepare(world);
  EXPECT(world.seen(change.service) == change.before);
  Tree const tree = world.open();
  Waiters const listening = listen(tree, change.service);

  pid_t const child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) {
    // Not what the parent holds: a child's copy of a token would keep it alive.
    NewRegistrations own;
    if (change.held_by_changer) own.tickets = {};
    else own.tickets = std::move(kept.tickets);
    kept.token.reset();
    fault::plan(nullptr, nth, fault::Act::stop);
    bool const made = change.act(world.open(), own);
    ::_exit(made ? 0 : 1);
  }
  int status = 0;
  EXPECT(::waitpid(child, &status, WUNTRACED) == child);
  if (WIFEXITED(status)) {
    EXPECT(WEXITSTATUS(status) == 0);
    return false;
  }
  EXPECT(WIFSTOPPED(status));
  ++tally.calls;

  // Stopped: readers see the state before, that after, or, of several registrations, part of them; never an error.
  size_t const low = std::min(change.before, change.after), high = std::max(change.before, change.after);
  size_t const while_stopped = world.seen(change.service);
  EXPECT(while_stopped >= low && while_stopped <= high);
  world.bystander_is_there();
  {
    auto const other = Transaction::begin(tree, time_limit(20));
    if (!other) {
      EXPECT(other.error().code == ETIMEDOUT);
      ++tally.locked;
    }
  }

  EXPECT(::kill(child, SIGKILL) == 0);
  EXPECT(::waitpid(child, &status, 0) == child && WIFSIGNALED(status));
  size_t const after_kill = world.seen(change.service);
  world.bystander_is_there();
  if (change.held_by_changer) EXPECT(after_kill == change.before);
  else EXPECT(after_kill == while_stopped);
  // No state that anybody saw went by without its event or a hang-up.
  if (while_stopped != change.before) EXPECT(woken(listening.of_service) && woken(listening.of_registry));

  // The next writer: the same change again comes to its end.
  NewRegistrations again;
  if (!change.held_by_changer) again.tickets = std::move(kept.tickets);
  EXPECT(change.act(tree, again));
  EXPECT(world.seen(change.service) == change.after);
  if (change.act == changes::publish) {
    LiveRegistrations found;
    EXPECT(lookup(tree, {.service = change.service, .wants_exe = true}, found).has_value() && found.size() == change.after);
    for (size_t i = 0; i < found.size(); ++i) EXPECT(found[i].record.exe == executable_path);
  }
  struct stat st;
  if (change.act == changes::remove_all) EXPECT(::fstat(kept.token.get(), &st) == 0 && st.st_nlink == 0);
  // Then all of it goes, and an exclusive one finds its name free.
  again.token.reset();
  kept.token.reset();
  EXPECT(world.seen(change.service) == 0);
  {
    NewRegistrations const last = world.add({"!target"});
    EXPECT(world.seen("target") == 1);
  }
  leave(tree, change.service, listening);
  world.only_bystander_is_left();
  return true;
}

} // namespace

int main() {
  PROG = "crash";
  for (TestedChange const &change : changes::all) {
    Tally tally;
    (void)kill_at_each_call(change.name, [&](unsigned nth) noexcept { return kill_at(change, nth, tally); });
    printf("%s: killed at each of %u system calls, %u of them with the lock\n", change.name, tally.calls, tally.locked);
    EXPECT(tally.locked > 5 && tally.calls > tally.locked);
  }
  return 0;
}
