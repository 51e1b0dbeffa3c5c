#include "libpm/registry/publish_ready.h"

#include "libpm/os/process.h"

namespace pm::registry {

bool publish_ready(Tree const &tree, Route route, std::span<Ticket const> tickets, bool is_public, pid_t pid, int process,
                   Log &log) noexcept {
  Executable exe;
  if (is_public)
    if (auto const found = executable(pid)) exe = *found;
  Change change(tree, route, {{}, process});
  auto const published = change.publish(tickets, exe.path.view(), exe.deleted);
  auto const *error = published ? nullptr : std::get_if<SysError>(&published.error());
  if (!error) return true;
  if (error->code != ECANCELED) log.warn_of(*error, "");
  return false;
}

} // namespace pm::registry
