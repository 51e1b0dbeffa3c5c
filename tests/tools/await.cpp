// await down REGISTRY SERVICE: returns when every registration that is alive now has died: the kernel hangs up on each token.
// await end PID: returns when the process has ended, whoever its parent is.

#include "cli/program.h"
#include "libpm/fifodir/token.h"
#include "libpm/os/process.h"
#include "libpm/registry/lookup.h"
#include "libpm/util/skalibs.h"

using namespace pm;
using namespace pm::registry;

namespace {

void await(int fd) noexcept {
  struct pollfd p = {fd, POLLIN, 0};
  while (sys::poll(&p, 1, -1) < 0 && errno == EINTR) {
  }
}

void await_down(char const *path, char const *service) noexcept {
  auto const tree = Tree::open(path);
  if (!tree) die_sys(tree.error(), path);
  LookupQuery query;
  query.service = service;
  query.trust = TrustedUsers::anyone();
  LiveRegistrations found;
  if (auto const looked = lookup(*tree, query, found); !looked) die_sys(looked.error(), path);
  for (size_t i = 0; i < found.size(); ++i) {
    auto const token = fifodir::open_token(tree->dir(), found[i].token().c_str());
    if (!token) continue;
    struct pollfd p = {token->get(), 0, 0};
    while (sys::poll(&p, 1, -1) < 0 && errno == EINTR) {
    }
  }
}

} // namespace

int main(int argc, char const *const *argv) {
  PROG = "await";
  if (argc == 4 && std::string_view(argv[1]) == "down") await_down(argv[2], argv[3]);
  else if (argc == 3 && std::string_view(argv[1]) == "end") {
    auto const process = process_fd(number<pid_t>(argv[2]).value_or(0));
    if (process) await(process->get());
    else if (process.error().code != ESRCH) die_sys(process.error(), argv[2]);
  } else die(exits::usage, "await down REGISTRY SERVICE | end PID");
  return 0;
}
