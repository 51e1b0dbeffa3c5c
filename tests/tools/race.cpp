// race REGISTRY ROUNDS: two processes register one exclusive name at the same moment, ROUNDS times; exactly one must win.

#include <sys/wait.h>
#include <unistd.h>
#include "cli/program.h"
#include "libpm/os/process.h"
#include "libpm/registry/add.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::registry;

namespace {

/** Waits at the gate, tries, and keeps what it got until the other has tried as well. */
int runner(char const *path, int gate, int done, int leave) noexcept {
  auto const tree = Tree::open(path);
  if (!tree) die_sys(tree.error(), path);
  WantedRegistration const request = {"race", Address(), 0, true};
  char byte;
  (void)!sys::read(gate, &byte, 1);
  auto const try_it = [&]() noexcept -> Answer<NewRegistrations> {
    auto transaction = Transaction::begin(*tree, time_limit(10000));
    if (!transaction) return fail(transaction);
    return add(*transaction, {::geteuid(), ::getpid(), start_time(::getpid()).value_or(0)}, {&request, 1}, {});
  };
  auto const made = try_it();
  (void)!sys::write(done, "", 1);
  (void)!sys::read(leave, &byte, 1);
  if (made) return 0;
  auto const *refused = std::get_if<Refusal>(&made.error());
  return refused && refused->reason == Refusal::conflict ? 1 : 2;
}

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "race";
  if (argc != 3) die(exits::usage, "race REGISTRY ROUNDS");
  for (unsigned round = 0; round < number<unsigned>(argv[2]).value_or(0); ++round) {
    int gate[2], done[2], leave[2];
    if (sys::pipe2(gate, 0) < 0 || sys::pipe2(done, 0) < 0 || sys::pipe2(leave, 0) < 0) die(exits::system, "no pipes");
    for (int i = 0; i < 2; ++i)
      if (sys::fork() == 0) {
        sys::close(gate[1]);
        sys::close(leave[1]);
        ::_exit(runner(argv[1], gate[0], done[1], leave[0]));
      }
    char bytes[2];
    sys::close(gate[1]);
    for (int i = 0; i < 2; ++i)
      if (sys::read(done[0], bytes, 1) != 1) die(exits::no, "a runner said nothing");
    sys::close(leave[1]);
    int results[3] = {};
    for (int i = 0; i < 2; ++i) {
      int status;
      sys::waitpid(-1, &status, 0);
      ++results[WIFEXITED(status) && WEXITSTATUS(status) < 2 ? WEXITSTATUS(status) : 2];
    }
    for (int fd : {gate[0], done[0], done[1], leave[0]}) sys::close(fd);
    if (results[0] != 1 || results[1] != 1) die(exits::no, (Text<64>("round ") << round << ": " << results[0] << " won").view());
  }
  return 0;
}
