#include "libpm/registry/layout.h"

namespace pm::registry {

bool is_owner_name(std::string_view name) noexcept {
  return name == unnamed_owner || number<uid_t>(name).has_value();
}

Ticket make_ticket(std::string_view service, std::string_view owner, std::string_view id) noexcept {
  Ticket ticket;
  ticket.service << service;
  ticket.owner << owner;
  ticket.id << id;
  return ticket;
}

namespace layout {

Path service(std::string_view service) noexcept {
  return Path("service/") << service;
}
Path service_event(std::string_view service) noexcept {
  return Path("service/") << service << "/event";
}
Path fifodir(std::string_view service) noexcept {
  return service.empty() ? Path(event) : service_event(service);
}
Path registrations(std::string_view service, std::string_view owner) noexcept {
  return Path("service/") << service << '/' << owner;
}
Path entry(std::string_view service, std::string_view owner, std::string_view name) noexcept {
  return registrations(service, owner) << '/' << name;
}
Path reserved(std::string_view service, std::string_view owner, std::string_view name) noexcept {
  return registrations(service, owner) << '/' << hidden << name;
}
Path executable(Ticket const &t) noexcept {
  return registrations(t.service.view(), t.owner.view()) << '/' << t.id.view() << ".exe";
}
Path announcement(pid_t pid) noexcept {
  return Path("exe/") << pid;
}
Path owner(std::string_view owner) noexcept {
  return Path("owner/") << owner;
}
Path listeners_of(std::string_view owner) noexcept {
  return Path("listener/") << owner;
}
Path owner_link(Ticket const &t) noexcept {
  return owner(t.owner.view()) << '/' << t.service.view() << ':' << t.id.view();
}
Path exclusive_link(std::string_view service, std::string_view owner, uint32_t version, std::string_view netid) noexcept {
  return registrations(service, owner) << '/' << exclusive_prefix << version << ':' << netid;
}

} // namespace layout
} // namespace pm::registry
