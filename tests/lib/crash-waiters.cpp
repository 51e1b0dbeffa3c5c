// A writer is stopped before each system call of each change, and killed there, while others wait for up, for down and for
// change. Whoever waits is told by his descriptor: after the kill, what he waits for is not so, or he has his answer. Then a
// writer that lives comes, and then everything dies: nobody waits for ever. And those who wait are killed: what they leave
// is in nobody's way. FAULTS: a writer killed between any two system calls while another process waits.

#include "../fault/fault.h"
#include "each_call.h"
#include "world.h"

#include <sys/wait.h>
#include <optional>
#include "libpm/fifodir/notify.h"
#include "libpm/registry/fifodir_waiter.h"
#include "libpm/registry/service_waiter.h"
#include "libpm/util/skalibs.h"

namespace {

/** Somebody who waits, until he has his answer. */
class Waiting {
 public:
  Waiting(Tree const &tree, WaitFor kind, char const *service) noexcept {
    auto opened = ServiceWaiter::open(tree, {kind, service, {}, {}, TrustedUsers::usual(), 0}, time_limit(10000));
    EXPECT(opened.has_value());
    waiter_.emplace(std::move(*opened));
    step();
  }
  /** Looks as often as his descriptor says, which must not be for ever. */
  bool answered() noexcept {
    for (int i = 0; waiter_; ++i) {
      struct pollfd p = {waiter_->fd(), POLLIN, 0};
      if (::poll(&p, 1, 0) == 0) return false;
      EXPECT(i < 10);
      step();
    }
    return true;
  }
  void give_up() noexcept { waiter_.reset(); }

 private:
  void step() noexcept {
    List<char> answer;
    auto const stepped = waiter_->step(answer);
    EXPECT(stepped.has_value() && *stepped == !answer.empty());
    if (*stepped) waiter_.reset();
  }
  std::optional<ServiceWaiter> waiter_;
};

bool in_child(int *status, pid_t child) noexcept {
  EXPECT(::waitpid(child, status, WUNTRACED) == child);
  return WIFSTOPPED(*status);
}

/** One kill at the nth call; whether the change got that far. `eager`: those who wait look before the kill, too. */
bool kill_writer(TestedChange const &change, unsigned nth, bool eager) noexcept {
  World world;
  NewRegistrations kept = change.prepare(world);
  Tree const tree = world.open();
  Waiting up(tree, WaitFor::up, change.service), down(tree, WaitFor::down, change.service),
      changed(tree, WaitFor::change, change.service);
  EXPECT(up.answered() == (change.before > 0) && down.answered() == (change.before == 0) && !changed.answered());

  pid_t const child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) {
    NewRegistrations own;
    if (change.held_by_changer) own.tickets = {};
    else own.tickets = std::move(kept.tickets);
    kept.token.reset();
    fault::plan(nullptr, nth, fault::Act::stop);
    ::_exit(change.act(world.open(), own) ? 0 : 1);
  }
  int status = 0;
  bool const stopped = in_child(&status, child);
  bool woken = false;
  if (stopped) {
    size_t const seen = world.seen(change.service);
    if (eager) {
      bool const was_up = up.answered(), was_down = down.answered();
      woken = changed.answered();
      EXPECT(!was_up || change.before > 0 || seen > 0);
      EXPECT(!was_down || change.before == 0 || seen == 0);
    }
    EXPECT(::kill(child, SIGKILL) == 0 && ::waitpid(child, &status, 0) == child);
    // What was so for a moment only, nobody has to have seen; what is so now, everybody who waits for it is told.
    size_t const now = world.seen(change.service);
    bool const is_up = up.answered(), is_down = down.answered();
    woken = changed.answered() || woken;
    EXPECT(now == 0 || is_up);
    EXPECT(now > 0 || is_down);
    EXPECT(now == change.before || woken);
  } else {
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }

  NewRegistrations again;
  if (!change.held_by_changer) again.tickets = std::move(kept.tickets);
  if (stopped) EXPECT(change.act(tree, again));
  if (stopped || !change.held_by_changer) {
    EXPECT(change.after == 0 || up.answered());
    EXPECT(change.after > 0 || down.answered());
    EXPECT(change.after == change.before || changed.answered());
  }
  again.token.reset();
  kept.token.reset();
  EXPECT(world.seen(change.service) == 0 && down.answered());
  if (change.before > 0 || change.after > 0) EXPECT(changed.answered());
  up.give_up();
  changed.give_up();
  world.only_bystander_is_left();
  return stopped;
}

/** Somebody who waits is killed before his nth call; whether he got that far. */
bool kill_waiter(WaitFor kind, unsigned nth) noexcept {
  World world;
  Tree const tree = world.open();
  auto const held = world.add({"target"});
  pid_t const child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) {
    fault::plan(nullptr, nth, fault::Act::stop);
    auto waiter = ServiceWaiter::open(tree, {kind, "target", {}, {}, TrustedUsers::usual(), 0}, time_limit(10000));
    List<char> answer;
    if (!waiter || !waiter->step(answer)) ::_exit(1);
    // As at its end.
    waiter = registry::refuse(Refusal::not_found);
    ::_exit(0);
  }
  int status = 0;
  bool const stopped = in_child(&status, child);
  if (stopped) {
    EXPECT(world.seen("target") == 1);
    EXPECT(::kill(child, SIGKILL) == 0 && ::waitpid(child, &status, 0) == child);
  } else {
    EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  {
    Waiting up(tree, WaitFor::up, "other"), down(tree, WaitFor::down, "target");
    auto const other = world.add({"other"});
    EXPECT(up.answered() && !down.answered());
    auto transaction = Transaction::begin(tree, time_limit(10000));
    EXPECT(transaction && remove(*transaction, held.tickets[0]).value_or(false));
    EXPECT(down.answered());
  }
  world.only_bystander_is_left();
  return stopped;
}

bool kill_listener(unsigned nth) noexcept {
  char path[] = "/tmp/pm-fifodir.XXXXXX";
  EXPECT(mkdtemp(path));
  pid_t const child = ::fork();
  EXPECT(child >= 0);
  if (child == 0) {
    fault::plan(nullptr, nth, fault::Act::stop);
    List<char> answer;
    bool done = false;
    if (auto waiter = FifodirWaiter::open(path, value_of(Expression::parse("x")))) done = waiter->step(answer).has_value();
    ::_exit(done ? 0 : 1);
  }
  int status = 0;
  bool const stopped = in_child(&status, child);
  if (stopped) EXPECT(::kill(child, SIGKILL) == 0 && ::waitpid(child, &status, 0) == child);
  auto const nobody = fifodir::notify(AT_FDCWD, path, "x");
  EXPECT(nobody && *nobody == 0);
  {
    auto waiter = FifodirWaiter::open(path, value_of(Expression::parse("x")));
    EXPECT(waiter.has_value());
    auto const reached = fifodir::notify(AT_FDCWD, path, "x");
    List<char> answer;
    EXPECT(reached && *reached == 1 && waiter->step(answer).value_or(false));
  }
  ::rm_rf(path);
  return stopped;
}

template <class Kill>
void each_call(char const *name, Kill kill) noexcept {
  unsigned const calls = kill_at_each_call(name, kill);
  printf("%s: killed at each of %u system calls\n", name, calls);
  EXPECT(calls > 5);
}

/** A sweep, as another change: of what died, by the next who comes by. */
bool sweep_it(Tree const &tree, NewRegistrations &) noexcept {
  return sweep(tree, time_limit(10000), Announces::end).has_value();
}
NewRegistrations dead(World &world) noexcept {
  (void)world.add({"target"});
  return {};
}

} // namespace

int main() {
  PROG = "crash-waiters";
  TestedChange const swept = {"sweep", "target", 0, 0, false, dead, sweep_it};
  for (bool const eager : {false, true}) {
    for (TestedChange const &change : changes::all) {
      bool const basic = change.act == changes::add_one || change.act == changes::publish || change.act == changes::remove_all;
      if (eager && !basic) continue;
      each_call(change.name, [&](unsigned nth) { return kill_writer(change, nth, eager); });
    }
    if (!eager) each_call(swept.name, [&](unsigned nth) { return kill_writer(swept, nth, eager); });
  }
  for (WaitFor const kind : {WaitFor::up, WaitFor::down, WaitFor::change})
    each_call("wait", [kind](unsigned nth) { return kill_waiter(kind, nth); });
  each_call("listen", kill_listener);
  return 0;
}
