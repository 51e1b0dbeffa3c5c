#include <pm/registry/announced.h>

#include <pm/fifodir/token.h>

namespace pm::registry {

Result<Ticket> announcement_of(int dir, pid_t pid) noexcept {
  constexpr char const *doing = "read an announcement";
  char buffer[256];
  ssize_t const n = sys::readlinkat(dir, layout::announcement(pid).c_str(), buffer, sizeof buffer);
  if (n < 0) return failed(doing);
  constexpr ssize_t above = sizeof "../service/.exe/" - 1;
  if (n < above) return failed(doing, EBADMSG);
  auto const [owner, id, found] = cut({buffer + above, static_cast<size_t>(n - above)}, '/');
  return make_ticket(announcements, owner, id);
}

Result<std::optional<Executable>> announced(Registry const &registry, pid_t pid) noexcept {
  auto const ticket = announcement_of(registry.dir(), pid);
  if (!ticket && ticket.error().code == ENOENT) return std::nullopt;
  if (!ticket) return fail(ticket);
  auto const life = fifodir::life(registry.dir(), layout::file(*ticket, layout::token).c_str());
  if (!life) return fail(life);
  if (*life != fifodir::Life::alive) return std::nullopt;
  List<char> text;
  auto const record = read_record(registry.dir(), layout::file(*ticket, layout::published).c_str(), text);
  if (!record && record.error().code == ENOENT) return std::nullopt;
  if (!record) return fail(record);
  // Whoever holds the token may not be the process: a child of it that outlived it, and the number is somebody else's.
  auto const start = start_time(pid);
  if (!start && (start.error().code == ENOENT || start.error().code == ESRCH)) return std::nullopt;
  if (!start) return fail(start);
  if (*start != record->start || record->exe.empty()) return std::nullopt;
  Executable exe;
  exe.path << record->exe;
  exe.deleted = record->deleted;
  return exe;
}

} // namespace pm::registry
