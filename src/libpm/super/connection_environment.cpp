#include "libpm/super/connection_environment.h"

#include <unistd.h>
#include <algorithm>
#include "libpm/fifodir/inherited.h"
#include "libpm/net/listen_fds.h"
#include "libpm/net/ucspi.h"
#include "libpm/os/fd_variables.h"

namespace pm::super {

namespace {

/** Variables that are for this process only. */
constexpr std::string_view own[] = {fifodir::inherited_variable, "NOTIFY_SOCKET", "PM_LISTEN_NAME"};

bool is_kept(char const *variable) noexcept {
  std::string_view const name = cut(variable, '=').head;
  return std::find(std::begin(own), std::end(own), name) == std::end(own) && !is_listen_variable(name) &&
         !ucspi::is_said(variable) && !is_wrong_fd_variable(variable, 0, 2);
}

} // namespace

Done ConnectionEnvironment::make() noexcept {
  bool fits = true;
  for (char const *const *variable = environ; *variable; ++variable) {
    auto const [name, value, is_set] = cut(*variable, '=');
    if (name == fifodir::inherited_variable) fifodir::keep_from_children(value.data());
    if (is_kept(*variable)) fits = fits && variables_.append(*variable);
  }
  fixed_ = variables_.size();
  for (size_t i = 0; i <= slots; ++i) fits = fits && variables_.append(nullptr);
  if (!fits) return failed("allocate memory for the environment of", ENOMEM);
  return {};
}

void ConnectionEnvironment::begin(ServedSocket const &socket, char const *protocol) noexcept {
  describe_nothing();
  if (!socket.name.empty()) set("PM_LISTEN_NAME=", socket.name);
  before_ucspi_ = used_;
  set("PROTO=", protocol);
  auto const path = socket.address.local_name();
  if (path.size()) set("IPCLOCALPATH=", path.view());
}

void ConnectionEnvironment::set_ip(char const *host_name, char const *port_name, SockAddr const &ip) noexcept {
  set(host_name, ip.host().view());
  set(port_name, ip.port());
}

void ConnectionEnvironment::describe(ServedSocket const &socket) noexcept {
  begin(socket, socket.is_local() ? "IPC" : "UDP");
  if (!socket.is_local()) set_ip("UDPLOCALIP=", "UDPLOCALPORT=", socket.address);
}

void ConnectionEnvironment::describe(AcceptedConnection const &connection) noexcept {
  if (!connection.socket->is_local()) {
    begin(*connection.socket, "TCP");
    set_ip("TCPREMOTEIP=", "TCPREMOTEPORT=", connection.peer);
    set_ip("TCPLOCALIP=", "TCPLOCALPORT=", connection.local);
    set("TCPCONNNUM=", connection.number);
    return;
  }
  begin(*connection.socket, "IPC");
  auto const path = connection.peer.local_name();
  if (path.size()) set("IPCREMOTEPATH=", path.view());
  if (!connection.is_client_known()) return set("IPCCONNNUM=", "");
  set("IPCREMOTEEUID=", connection.credentials.uid);
  set("IPCREMOTEEGID=", connection.credentials.gid);
  set("IPCREMOTEPID=", connection.credentials.pid);
  set("IPCCONNNUM=", connection.number);
}

} // namespace pm::super
