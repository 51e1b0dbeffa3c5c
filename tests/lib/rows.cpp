// The port mapper's rows: it is stopped at each system call of SET and of UNSET, looked at, killed, and started again; and each
// call fails. Alone with the registry, where it saves itself looks, and with others who listen. FAULTS: SIGKILL of any process
// at any instruction; readers see the state before or that after; what was unset is never there again.

#include "../fault/fault.h"
#include "each_call.h"
#include "world.h"

#include <sys/wait.h>
#include "libpm/rpc/registry_rows.h"
#include "libpm/util/skalibs.h"

namespace {

using rpc::RegistryRows;
using rpc::Setter;

constexpr uint32_t target = 536870912, beside = 536870913;
constexpr char const *service = "536870912", *service_beside = "536870913";

struct Case {
  char const *name;
  bool sets;      /**< SET, or UNSET */
  bool again;     /**< the program has a row of another version, so its directories are there */
  bool listening; /**< others listen to the service and to the registry */
};
constexpr Case cases[] = {
    {"set", true, false, false},
    {"set beside another version", true, true, false},
    {"set, listened to", true, false, true},
    {"set beside another version, listened to", true, true, true},
    {"unset", false, false, false},
    {"unset beside another version", false, true, false},
    {"unset, listened to", false, false, true},
    {"unset beside another version, listened to", false, true, true},
};

Address somewhere() noexcept {
  return value_of(Address::parse("udp:0.0.0.0:2049"));
}
Setter root() noexcept {
  return {::geteuid()};
}
bool set(RegistryRows &rows, uint32_t program, uint32_t version) noexcept {
  auto const done = rows.set(root(), program, version, somewhere());
  rows.settle();
  return done && *done;
}
bool unset(RegistryRows &rows, uint32_t program, uint32_t version) noexcept {
  auto const done = rows.unset(root(), program, version, {});
  rows.settle();
  return done && *done;
}
bool act(RegistryRows &rows, Case const &c) noexcept {
  return c.sets ? set(rows, target, 1) : unset(rows, target, 1);
}
void prepare(RegistryRows &rows, Case const &c) noexcept {
  EXPECT(rows.open().has_value());
  EXPECT(set(rows, beside, 1) && (!c.again || set(rows, target, 2)) && (c.sets || set(rows, target, 1)));
}

/** How many of version 1 a lookup sees: as many as the port mapper answers with. */
size_t known_rows(World const &world, RegistryRows &rows) noexcept {
  EXPECT(rows.refresh().has_value());
  size_t known = 0;
  for (auto *row = rows.index().same_key(target, 1, Netid::udp); row; row = rows.index().same_key(target, 1, Netid::udp, row))
    ++known;
  EXPECT(known <= 1 && world.seen(service_beside) == 1 && rows.index().has(beside, Netid::udp));
  return known;
}

/** The row is set and unset once more, all goes, and nothing is left. */
void end(World const &world, Tree const &tree, RegistryRows &rows, Case const &c, size_t others) noexcept {
  size_t const known = known_rows(world, rows);
  EXPECT(world.seen(service) == known + others);
  EXPECT(act(rows, c) && known_rows(world, rows) == c.sets && world.seen(service) == c.sets + others);
  EXPECT(unset(rows, target, 1) && known_rows(world, rows) == 0 && set(rows, target, 1) && known_rows(world, rows) == 1);
  for (uint32_t const version : {1U, 2U}) EXPECT(unset(rows, target, version));
  EXPECT(unset(rows, beside, 1) && world.seen(service) == 0);
  (void)tree;
}

/** One kill at the nth call; whether the change got that far. */
bool kill_at(Case const &c, unsigned nth) noexcept {
  World world;
  Tree const tree = world.open();
  size_t const others = c.again ? 1 : 0;
  {
    int ready[2], go[2];
    EXPECT(::pipe2(ready, O_CLOEXEC) == 0 && ::pipe2(go, O_CLOEXEC) == 0);
    pid_t const child = ::fork();
    EXPECT(child >= 0);
    if (child == 0) {
      RegistryRows rows(tree, {});
      prepare(rows, c);
      char byte = 0;
      (void)!::write(ready[1], &byte, 1);
      (void)!::read(go[0], &byte, 1);
      fault::plan(nullptr, nth, fault::Act::stop);
      ::_exit(act(rows, c) ? 0 : 1);
    }
    char byte = 0;
    EXPECT(::read(ready[0], &byte, 1) == 1);
    std::optional<Waiters> listening;
    if (c.listening) listening.emplace(listen(tree, service));
    EXPECT(::write(go[1], &byte, 1) == 1);
    int status = 0;
    EXPECT(::waitpid(child, &status, WUNTRACED) == child);
    for (int const fd : {ready[0], ready[1], go[0], go[1]}) ::close(fd);
    if (WIFEXITED(status)) {
      EXPECT(WEXITSTATUS(status) == 0);
      return false;
    }
    EXPECT(WIFSTOPPED(status));
    size_t const while_stopped = world.seen(service);
    EXPECT(while_stopped == others || while_stopped == others + 1);
    world.bystander_is_there();
    EXPECT(::kill(child, SIGKILL) == 0 && ::waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    EXPECT(world.seen(service) == 0); // nobody holds the token
    if (listening && while_stopped != others + (c.sets ? 0 : 1))
      EXPECT(woken(listening->of_service) && woken(listening->of_registry));
    if (listening) leave(tree, service, *listening);
    RegistryRows rows(tree, {});
    EXPECT(rows.open().has_value());
    // What was seen is there again, and what was gone is gone.
    EXPECT(known_rows(world, rows) == while_stopped - others);
    end(world, tree, rows, c, others);
  }
  world.only_bystander_is_left();
  return true;
}

/** The same with a failure there: it is told, or made good, and both views are of one opinion. */
bool fail_at(Case const &c, unsigned nth, int code) noexcept {
  World world;
  Tree const tree = world.open();
  bool happened;
  {
    RegistryRows rows(tree, {});
    prepare(rows, c);
    std::optional<Waiters> listening;
    if (c.listening) listening.emplace(listen(tree, service));
    EXPECT(rows.refresh().has_value());
    int const open = open_descriptors();
    fault::plan(nullptr, nth, fault::Act::fail, code);
    bool const done = act(rows, c);
    happened = fault::happened();
    fault::plan(nullptr, 0, fault::Act::nothing);
    EXPECT(open_descriptors() == open || open_descriptors() == open - 1); // the lock's file may be opened anew
    size_t const known = known_rows(world, rows), others = c.again ? 1 : 0;
    EXPECT(!done || known == c.sets);
    EXPECT(world.seen(service) == known + others);
    if (listening) leave(tree, service, *listening);
    end(world, tree, rows, c, others);
  }
  world.only_bystander_is_left();
  return happened;
}

} // namespace

int main() {
  PROG = "rows";
  for (Case const &c : cases) {
    unsigned const calls = kill_at_each_call(c.name, [&](unsigned nth) noexcept { return kill_at(c, nth); });
    unsigned const failures =
        fail_at_each_call(c.name, {EIO, EMFILE}, [&](unsigned nth, int code) noexcept { return fail_at(c, nth, code); });
    printf("%s: killed at each of %u system calls, %u failures\n", c.name, calls, failures);
    EXPECT(calls > 3);
  }
  return 0;
}
