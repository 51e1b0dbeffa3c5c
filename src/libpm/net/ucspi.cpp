#include "libpm/net/ucspi.h"

#include <fcntl.h>
#include <unistd.h>
#include "libpm/net/sock_addr.h"
#include "libpm/os/fd_variables.h"
#include "libpm/util/text.h"

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
  environment.unset_where([=](std::string_view variable) noexcept {
    return is_said(variable) || belongs(variable, own) || belongs(variable, protocol);
  });
}

namespace {
void forget_others(Environment &environment) noexcept {
  forget(environment);
  forget_wrong_fds(environment, reading, 2);
}
} // namespace

void describe_local(std::string_view path, Environment &environment) noexcept {
  forget_others(environment);
  environment.set("PROTO", "IPC");
  environment.set("IPCREMOTEPATH", path);
}

Done describe_ip(int connection, char const *protocol, Environment &environment) noexcept {
  constexpr char const *doing = "get the addresses of a connection to";
  forget_others(environment);
  environment.set("PROTO", protocol);
  struct {
    char const *side;
    Result<SockAddr> address;
  } const sides[] = {{"LOCAL", SockAddr::of_socket(connection, doing)}, {"REMOTE", SockAddr::of_peer(connection, doing)}};
  for (auto const &[side, address] : sides) {
    if (!address) return fail(address);
    environment.set((Text<16>(protocol) << side << "IP").c_str(), address->host().view());
    environment.set((Text<16>(protocol) << side << "PORT").c_str(), (Text<16>() << address->port()).view());
  }
  return {};
}

Done give(Fd connection) noexcept {
  for (int const number : {reading, writing})
    if (connection.get() == number ? sys::fcntl(number, F_SETFD) < 0 : sys::dup2(connection.get(), number) < 0)
      return failed("get descriptors 6 and 7 for");
  if (connection.get() == reading || connection.get() == writing) (void)connection.release();
  return {};
}

} // namespace pm::ucspi
