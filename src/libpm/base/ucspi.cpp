#include <pm/base/ucspi.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pm/base/sys.h>
#include <pm/base/text.h>

namespace pm::ucspi {

Done give(Fd connection) noexcept {
  for (int const number : {reading, writing})
    if (connection.get() == number ? sys::fcntl(number, F_SETFD) < 0 : sys::dup2(connection.get(), number) < 0)
      return failed("have descriptors 6 and 7 for");
  if (connection.get() == reading || connection.get() == writing) (void)connection.release();
  return {};
}

namespace {
void unset_all(Environment &environment, std::initializer_list<char const *> variables) noexcept {
  for (char const *const variable : variables) environment.unset(variable);
}
} // namespace

void describe_local(std::string_view path, Environment &environment) noexcept {
  environment.set("PROTO", "IPC");
  unset_all(environment, {"IPCLOCALPATH", "IPCREMOTEEUID", "IPCREMOTEEGID", "IPCREMOTEPID", "IPCCONNNUM"});
  environment.set("IPCREMOTEPATH", path);
}

Done describe_tcp(int socket, Environment &environment) noexcept {
  constexpr char const *doing = "describe the connection to";
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } local = {}, remote = {};
  socklen_t size = sizeof local;
  if (sys::getsockname(socket, &local.any, &size) < 0) return failed(doing);
  size = sizeof remote;
  if (sys::getpeername(socket, &remote.any, &size) < 0) return failed(doing);
  environment.set("PROTO", "TCP");
  unset_all(environment, {"TCPLOCALHOST", "TCPREMOTEHOST", "TCPREMOTEINFO", "TCPCONNNUM"});
  auto const set = [&](char const *host, char const *port, auto const &name) noexcept {
    bool const v6 = name.any.sa_family == AF_INET6;
    char text[INET6_ADDRSTRLEN];
    if (v6) inet_ntop(AF_INET6, &name.v6.sin6_addr, text, sizeof text);
    else inet_ntop(AF_INET, &name.v4.sin_addr, text, sizeof text);
    environment.set(host, text);
    environment.set(port, (Text<8>() << ntohs(v6 ? name.v6.sin6_port : name.v4.sin_port)).view());
  };
  set("TCPLOCALIP", "TCPLOCALPORT", local);
  set("TCPREMOTEIP", "TCPREMOTEPORT", remote);
  return {};
}

} // namespace pm::ucspi
