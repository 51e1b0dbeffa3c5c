#include <pm/base/text.h>
#include <pm/base/ucspi.h>
#include <unistd.h>

namespace pm::ucspi {

std::string_view protocol_in(std::string_view variable) noexcept {
  auto const [name, value, found] = cut(variable, '=');
  return found && name == "PROTO" ? value : std::string_view();
}

std::string_view own_protocol() noexcept {
  for (char const *const *variable = environ; *variable; ++variable)
    if (auto const found = protocol_in(*variable); !found.empty()) return found;
  return {};
}

bool belongs(std::string_view variable, std::string_view protocol) noexcept {
  auto const [name, value, found] = cut(variable, '=');
  if (!found || protocol.empty() || !name.starts_with(protocol)) return false;
  std::string_view const rest = name.substr(protocol.size());
  return rest.starts_with("LOCAL") || rest.starts_with("REMOTE") || rest.starts_with("CONN");
}

bool is_said(std::string_view variable) noexcept {
  return cut(variable, '=').head == "PROTO" || belongs(variable, "IPC") || belongs(variable, "TCP") || belongs(variable, "UDP");
}

void forget(Environment &environment, std::string_view protocol) noexcept {
  std::string_view const own = own_protocol();
  environment.unset("PROTO");
  for (char const *const *variable = environ; *variable; ++variable)
    if (is_said(*variable) || belongs(*variable, own) || belongs(*variable, protocol)) {
      Text<256> const name(cut(*variable, '=').head);
      if (!name.overflowed()) environment.unset(name.c_str());
    }
}

} // namespace pm::ucspi
