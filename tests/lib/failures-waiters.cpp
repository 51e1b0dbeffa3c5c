// Each system call of those who wait fails for want of descriptors or of memory: an error says so, no descriptor and no
// child is lost, and once there is enough again, nothing was missed.

#include "../fault/fault.h"
#include "each_call.h"
#include "world.h"

#include <sys/wait.h>
#include "libpm/fifodir/notify.h"
#include "libpm/os/spawn.h"
#include "libpm/registry/fifodir_waiter.h"
#include "libpm/registry/listend_client.h"
#include "libpm/registry/service_waiter.h"
#include "libpm/util/skalibs.h"

using Wanted = registry::WaitRequest;

namespace {

unsigned failures_reported = 0;

/** Ends what was planned; whether it had happened. `failed`: whether somebody said so, which nobody may without cause. */
bool over(bool failed) noexcept {
  bool const reached = fault::happened();
  fault::plan(nullptr, 0, fault::Act::nothing);
  EXPECT(reached || !failed);
  failures_reported += failed;
  return reached;
}

bool fifodir_fails(unsigned nth, int code) noexcept {
  char path[] = "/tmp/pm-fifodir.XXXXXX";
  EXPECT(mkdtemp(path));
  int const descriptors = open_descriptors();
  bool reached = false;
  {
    auto expression = value_of(Expression::parse("x"));
    mode_t const mask = ::umask(027);
    fault::plan(nullptr, nth, fault::Act::fail, code);
    auto waiter = FifodirWaiter::open(path, std::move(expression));
    EXPECT(::umask(mask) == 027);
    reached = over(!waiter);
    EXPECT(waiter || waiter.error().code == code);
  }
  EXPECT(open_descriptors() == descriptors);
  EXPECT(::rmdir(path) == 0); // nothing is left in it
  return reached;
}

bool step_fails(unsigned nth, int code) noexcept {
  char path[] = "/tmp/pm-fifodir.XXXXXX";
  EXPECT(mkdtemp(path));
  bool reached = false;
  {
    auto waiter = FifodirWaiter::open(path, value_of(Expression::parse("x")));
    EXPECT(waiter.has_value());
    EXPECT(fifodir::notify(AT_FDCWD, path, "x").has_value());
    List<char> answer;
    fault::plan(nullptr, nth, fault::Act::fail, code);
    auto const stepped = waiter->step(answer);
    reached = over(!stepped);
    // Once there is enough again, the event is there.
    if (!stepped) EXPECT(answer.empty() && waiter->step(answer).value_or(false));
    EXPECT(!answer.empty());
  }
  EXPECT(::rmdir(path) == 0);
  return reached;
}

bool watch_fails(unsigned nth, int code) noexcept {
  World world;
  Tree const tree = world.open();
  int const descriptors = open_descriptors();
  fault::plan(nullptr, nth, fault::Act::fail, code);
  bool reached = false;
  {
    auto watch = RegistryWatch::open(tree, {"target", {}, TrustedUsers::usual()}, time_limit(10000));
    reached = over(!watch);
    if (!watch) EXPECT(std::get<SysError>(watch.error()).code == code);
  }
  EXPECT(open_descriptors() == descriptors);
  world.only_bystander_is_left();
  return reached;
}

bool look_fails(unsigned nth, int code) noexcept {
  World world;
  Tree const tree = world.open();
  int const descriptors = open_descriptors();
  bool reached = false;
  {
    auto watch = RegistryWatch::open(tree, {"target", {}, TrustedUsers::usual()}, time_limit(10000));
    EXPECT(watch.has_value());
    unsigned up = 0, down = 0;
    auto const report = [&](Changed changed, LiveRegistration const &) noexcept {
      ++(changed == Changed::up ? up : down);
      return Done();
    };
    auto one = world.add({"target"}), two = world.add({"target"});
    EXPECT(watch->look(report) && up == 2);
    auto const three = world.add({"target"}), four = world.add({"target"});
    one.token.reset();
    fault::plan(nullptr, nth, fault::Act::fail, code);
    auto const looked = watch->look(report);
    reached = over(!looked);
    if (!looked) EXPECT(looked.error().code == code && watch->look(report));
    // Nothing was missed, nothing told twice.
    EXPECT(watch->count() == 3 && up == 4 && down == 1);
    two.token.reset();
    EXPECT(watch->look(report) && watch->count() == 2 && down == 2);
  }
  EXPECT(open_descriptors() == descriptors);
  world.only_bystander_is_left();
  return reached;
}

bool service_fails(WaitFor kind, unsigned nth, int code) noexcept {
  World world;
  Tree const tree = world.open();
  auto const held = world.add({"target"});
  int const descriptors = open_descriptors();
  fault::plan(nullptr, nth, fault::Act::fail, code);
  bool reached = false;
  {
    auto waiter = ServiceWaiter::open(tree, {kind, "target", {}, {}, TrustedUsers::usual(), 0}, time_limit(10000));
    List<char> answer;
    bool const stepped = waiter && waiter->step(answer);
    reached = over(!stepped);
    if (stepped) EXPECT(answer.empty() == (kind != WaitFor::up));
  }
  EXPECT(open_descriptors() == descriptors);
  EXPECT(world.seen("target") == 1);
  return reached;
}

bool listening_fails(Wanted const &wanted, char const *path, unsigned nth, int code) noexcept {
  int const descriptors = open_descriptors();
  bool reached = false;
  {
    fault::plan(nullptr, nth, fault::Act::fail, code);
    auto listening = ListendClient::by_child(wanted, path);
    bool const failed = !listening || !listening->begun(time_limit(10000)) || !listening->wait(time_limit(10000));
    reached = over(failed);
    if (!failed) {
      unsigned answers = 0;
      listening->each_answer([&](std::string_view) noexcept { ++answers; });
      EXPECT(answers == 1);
    }
  }
  EXPECT(open_descriptors() == descriptors);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  EXPECT(errno == ECHILD);
  return reached;
}

template <class Fail>
void each_call(char const *name, Fail fail) noexcept {
  unsigned const calls = fail_at_each_call(name, {EMFILE, ENFILE, ENOMEM}, fail);
  printf("%s: %u failures\n", name, calls);
  EXPECT(calls >= 3);
}

} // namespace

int main() {
  PROG = "failures-waiters";
  each_call("listen in a fifodir", fifodir_fails);
  each_call("read an event", step_fails);
  each_call("watch", watch_fails);
  each_call("look", look_fails);
  for (WaitFor const kind : {WaitFor::up, WaitFor::down, WaitFor::change})
    each_call("wait for a service", [kind](unsigned nth, int code) { return service_fails(kind, nth, code); });
  World world;
  auto const held = world.add({"target"});
  each_call("wait through a child", [&](unsigned nth, int code) {
    return listening_fails({WaitFor::up, "target", {}, {}, TrustedUsers::usual(), 0}, world.path(), nth, code);
  });
  EXPECT(failures_reported > 100);
  return 0;
}
