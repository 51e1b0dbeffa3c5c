#include "cli/program.h"

#include <signal.h>
#include <utility>
#include "libpm/os/sys.h"

namespace pm {

Signals trap_ends() noexcept {
  auto trapped = Signals::trap({SIGTERM, SIGINT, SIGHUP});
  if (!trapped) die_sys(trapped.error(), "");
  ::signal(SIGPIPE, SIG_IGN);
  return std::move(*trapped);
}

int execute(Environment const &environment, char const *const *argv) noexcept {
  auto const variables = environment.merged();
  if (!variables) die_sys(variables.error(), "");
  sys::exec(argv, variables->begin());
  return not_executed(argv[0], errno);
}

} // namespace pm
