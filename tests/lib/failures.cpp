// Each system call of each change fails, with each errno that a full, read-only, broken or exhausted host may give:
// the change is made wholly or not at all, no descriptor leaks, and the registry goes on.

#include "../fault/fault.h"
#include "each_call.h"
#include "libpm/util/skalibs.h"
#include "world.h"

namespace {

unsigned failures_reported = 0;

bool fail_at(TestedChange const &change, unsigned nth, int code) noexcept {
  World world;
  NewRegistrations kept = change.prepare(world);
  Tree const tree = world.open();
  int const descriptors = open_descriptors();
  mode_t const mask = ::umask(027);

  Path const mine = layout::owner(owner_name(::geteuid()).view());
  int const registered = world.entries(mine.c_str());
  NewRegistrations own;
  if (!change.held_by_changer)
    for (Ticket const &ticket : kept.tickets) EXPECT(own.tickets.append(ticket));
  fault::plan(nullptr, nth, fault::Act::fail, code);
  bool const made = change.act(tree, own);
  bool const reached = fault::happened();
  fault::plan(nullptr, 0, fault::Act::nothing);

  EXPECT(::umask(mask) == 027);
  EXPECT(open_descriptors() - (own.token.valid() ? 1 : 0) == descriptors);
  size_t const now = world.seen(change.service);
  if (made) {
    EXPECT(now == change.after);
  } else {
    ++failures_reported;
    EXPECT(reached);
    // What only adds leaves nothing when it fails; what removes or publishes may have got part of its way.
    if (change.held_by_changer) EXPECT(now == change.before && world.entries(mine.c_str()) == registered);
    EXPECT(now >= std::min(change.before, change.after) && now <= std::max(change.before, change.after));
    EXPECT(change.act(tree, own));
    EXPECT(world.seen(change.service) == change.after);
  }
  // What is removed wholly has no name left, in whatever its removal was interrupted: its holder is told by that.
  struct stat st;
  bool const wholly = change.act == changes::remove_all || change.act == changes::remove_by_query;
  EXPECT(!wholly || (::fstat(kept.token.get(), &st) == 0 && st.st_nlink == 0));
  world.bystander_is_there();
  own.token.reset();
  kept.token.reset();
  world.only_bystander_is_left();
  return reached;
}

} // namespace

int main() {
  PROG = "failures";
  for (TestedChange const &change : changes::all) {
    unsigned const calls = fail_at_each_call(change.name, {EIO, ENOSPC, EMFILE, EACCES, EROFS},
                                             [&](unsigned nth, int code) noexcept { return fail_at(change, nth, code); });
    printf("%s: %u failures\n", change.name, calls);
  }
  EXPECT(failures_reported > 100);
  return 0;
}
