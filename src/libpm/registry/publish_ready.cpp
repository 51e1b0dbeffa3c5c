#include "libpm/registry/publish_ready.h"

#include "libpm/os/process.h"
#include "libpm/os/retry.h"

namespace pm::registry {

bool publish_ready(Tree const &tree, Route route, std::span<Ticket const> tickets, bool is_public, pid_t pid, int process,
                   Log &log) noexcept {
  int reported = 0;
  for (Retry retry(tree.dir(), layout::socket);;) {
    Executable exe;
    if (is_public) {
      auto const found = executable(pid);
      if (found) exe = *found;
      else if (found.error().code == EPERM && !reported)
        log.warn("the executable of process ", (Text<16>() << pid).view(), " stays unknown: ", why_hidden());
    }
    Change change(tree, route, {{}, process});
    auto const published = change.publish(tickets, exe.path.view(), exe.deleted);
    auto const *error = published ? nullptr : std::get_if<SysError>(&published.error());
    if (!error) return true;
    if (error->code == ECANCELED) return false;
    if (error->code != reported)
      log.warn("unable to ", error->doing, " for ", tickets.front().service.view(), ": ", reason(*error), ", trying again");
    reported = error->code;
    auto const waited = retry.wait(error->code, {{}, process});
    if (waited) continue;
    if (waited.error().code != ECANCELED) log.warn_of(waited.error(), "");
    return false;
  }
}

} // namespace pm::registry
