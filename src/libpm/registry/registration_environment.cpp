#include "libpm/registry/registration_environment.h"

namespace pm::registry {

void set_registration(LiveRegistration const &registration, Address const &address, Environment &environment) noexcept {
  Text<16> version, pid, port;
  version << registration.record.version;
  pid << registration.record.pid;
  if (address.port()) port << address.port();
  auto const host = address.host();
  struct {
    char const *variable;
    std::string_view value;
  } const parts[] = {{"PM_SERVICE", registration.record.service},
                     {"PM_VERSION", version.view()},
                     {"PM_NETID", registration.record.netid},
                     {"PM_ADDRESS", registration.record.address},
                     {"PM_HOST", host.view()},
                     {"PM_PORT", port.view()},
                     {"PM_PATH", address.path()},
                     {"PM_UID", registration.owner},
                     {"PM_PID", pid.view()},
                     {"PM_ORIGIN", registration.record.origin}};
  for (auto const &part : parts)
    if (part.value.empty()) environment.unset(part.variable);
    else environment.set(part.variable, part.value);
}

} // namespace pm::registry
