#include <pm/base/ucspi.h>
#include <pm/fifodir/inherited.h>
#include <pm/super/connection_environment.h>
#include <unistd.h>
#include <algorithm>

namespace pm::super {

namespace {

/** What is for this process, and not for those that it starts. */
constexpr std::string_view own[] = {
    fifodir::inherited_variable, "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "NOTIFY_SOCKET", "PM_LISTEN_NAME"};

bool is_kept(char const *variable) noexcept {
  std::string_view const name = cut(variable, '=').head;
  return std::find(std::begin(own), std::end(own), name) == std::end(own) && !ucspi::is_said(variable);
}

} // namespace

Done ConnectionEnvironment::make() noexcept {
  bool fits = true;
  for (char const *const *variable = environ; *variable; ++variable)
    if (is_kept(*variable)) fits = fits && variables_.append(*variable);
  fixed_ = variables_.size();
  for (size_t i = 0; i <= slots; ++i) fits = fits && variables_.append(nullptr);
  if (!fits) return failed("have memory for", ENOMEM);
  return {};
}

void ConnectionEnvironment::begin(Listener const &listener) noexcept {
  used_ = 0;
  if (!listener.name.empty()) set("PM_LISTEN_NAME=", listener.name);
  others_ = used_;
  set("PROTO=", listener.is_local() ? "IPC" : listener.datagrams ? "UDP" : "TCP");
  if (listener.path.size()) set("IPCLOCALPATH=", listener.path.view());
  if (listener.datagrams && !listener.is_local()) set_ip("UDPLOCALIP=", "UDPLOCALPORT=", listener.ip);
}

void ConnectionEnvironment::set_ip(char const *name_is_host, char const *name_is_port, IpName const &ip) noexcept {
  set(name_is_host, ip.host.view());
  set(name_is_port, ip.port);
}

} // namespace pm::super
