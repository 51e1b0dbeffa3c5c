#include "cli/given_sockets.h"

#include "cli/say.h"
#include "libpm/net/listen_fds.h"

namespace pm {

void die_of_listen_fds(SysError error) noexcept {
  auto const other = ListenFds::other_process();
  if (error.code != ENOENT || !other.size()) die_sys(error, "");
  die(exits::system, "unable to ", error.doing, ": ", other.view());
}

void warn_of_other_listen_fds() noexcept {
  if (auto const other = ListenFds::other_process(); other.size()) warn("not using LISTEN_FDS: ", other.view());
}

} // namespace pm
