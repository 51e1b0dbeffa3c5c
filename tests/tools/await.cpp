// await down REGISTRY SERVICE: returns when every instance that is alive now has died: the kernel hangs up on each token.
// await end PID: returns when the process has ended, whoever its parent is.

#include <pm/base/process.h>
#include <pm/base/program.h>
#include <pm/fifodir/token.h>
#include <pm/registry/lookup.h>

using namespace pm;
using namespace pm::registry;

namespace {

void await(int fd) noexcept {
  struct pollfd p = {fd, POLLIN, 0};
  while (sys::poll(&p, 1, -1) < 0 && errno == EINTR) {
  }
}

void await_down(char const *path, char const *service) noexcept {
  auto const registry = Registry::open(path);
  if (!registry) die_sys(registry.error(), path);
  Query query;
  query.service = service;
  query.whose = Whose::anyone();
  Instances found;
  if (auto const looked = lookup(*registry, query, found); !looked) die_sys(looked.error(), path);
  for (size_t i = 0; i < found.size(); ++i) {
    Ticket ticket;
    ticket.service << service;
    ticket.owner << found[i].owner;
    ticket.id << found[i].id;
    auto const token = fifodir::open_token(registry->dir(), layout::file(ticket, layout::token).c_str());
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
