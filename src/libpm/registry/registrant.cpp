#include "libpm/registry/registrant.h"

#include <unistd.h>
#include "libpm/os/process.h"

namespace pm::registry {

Result<Registrant> this_process() noexcept {
  pid_t const pid = ::getpid();
  auto const start = start_time(pid);
  if (!start) return fail(start);
  return Registrant{::geteuid(), pid, *start};
}

} // namespace pm::registry
