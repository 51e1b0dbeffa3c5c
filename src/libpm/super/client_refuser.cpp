#include "libpm/super/client_refuser.h"

#include <sys/socket.h>
#include "libpm/net/hang_up.h"
#include "libpm/os/sys.h"

namespace pm::super {

void ClientRefuser::refuse(int connection, std::string_view reason) noexcept {
  log_.count_refusal();
  if (options_.tell) {
    Text<128> const line = Text<128>(options_.name) << ": refused: " << reason << '\n';
    sys::send(connection, line.view().data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  hang_up(connection);
}

} // namespace pm::super
