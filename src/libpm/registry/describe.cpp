#include <pm/registry/connect.h>

namespace pm::registry {

void describe(Instance const &instance, Address const &address, Environment &environment) noexcept {
  Text<16> version, pid, port;
  version << instance.record.version;
  pid << instance.record.pid;
  if (address.port()) port << address.port();
  auto const host = address.host();
  struct {
    char const *variable;
    std::string_view value;
  } const parts[] = {{"PM_SERVICE", instance.record.service},
                     {"PM_VERSION", version.view()},
                     {"PM_NETID", instance.record.netid},
                     {"PM_ADDRESS", instance.record.address},
                     {"PM_HOST", host.view()},
                     {"PM_PORT", port.view()},
                     {"PM_PATH", address.path()},
                     {"PM_UID", instance.owner},
                     {"PM_PID", pid.view()}};
  for (auto const &part : parts)
    if (part.value.empty()) environment.unset(part.variable);
    else environment.set(part.variable, part.value);
}

} // namespace pm::registry
