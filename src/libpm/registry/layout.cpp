#include <pm/registry/layout.h>

namespace pm::registry {

bool is_owner_name(std::string_view name) noexcept {
  return name == unnamed_owner || number<uid_t>(name).has_value();
}

std::optional<pid_t> pid_in(std::string_view id) noexcept {
  auto const [pid, after_pid, has_start] = cut(id, '.');
  auto const [start, digits, has_digits] = cut(after_pid, '.');
  auto const n = number<pid_t>(pid);
  if (!n || *n <= 0 || !number<uint64_t>(start) || digits.size() != 8) return std::nullopt;
  for (char const c : digits)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return std::nullopt;
  return n;
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
Path instances(std::string_view service, std::string_view owner) noexcept {
  return Path("service/") << service << '/' << owner;
}
Path announcement(pid_t pid) noexcept {
  return Path("exe/") << pid;
}
Path file(Ticket const &t, std::string_view suffix) noexcept {
  return instances(t.service.view(), t.owner.view()) << '/' << t.id.view() << suffix;
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
  return instances(service, owner) << '/' << exclusive_prefix << version << ':' << netid;
}

} // namespace layout
} // namespace pm::registry
