#include <pm/registry/registrant.h>

#include <pm/base/process.h>
#include <pm/base/say.h>
#include <unistd.h>

namespace pm::registry {

Result<Registrant> this_process() noexcept {
  pid_t const pid = ::getpid();
  auto const start = start_time(pid);
  if (!start) return fail(start);
  return Registrant{::geteuid(), pid, *start};
}

bool publish_ready(Registry const &registry, Way way, std::span<Ticket const> tickets, bool is_public, pid_t pid,
                   int process) noexcept {
  Executable exe;
  if (is_public)
    if (auto const found = executable(pid)) exe = *found;
  Editor editor(registry, way, Deadline(), process);
  auto const published = editor.publish(tickets, exe.path.view(), exe.deleted);
  auto const *error = published ? nullptr : std::get_if<SysError>(&published.error());
  if (!error) return true;
  if (error->code != ECANCELED) warn("unable to ", error->doing, ": ", strerror(error->code));
  return false;
}

} // namespace pm::registry
