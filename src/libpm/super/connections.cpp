#include <pm/super/connections.h>

namespace pm::super {

Result<Connections> Connections::make(uint32_t most) noexcept {
  auto entries = Table::make(most);
  auto sources = Sources::make(most);
  if (!entries) return fail(entries);
  if (!sources) return fail(sources);
  return Connections(static_cast<Table &&>(*entries), static_cast<Sources &&>(*sources), most);
}

void Connections::add(pid_t child, Source const &source) noexcept {
  uint32_t *const entry = entries_.insert(static_cast<uint32_t>(child));
  if (!entry) bug("more connections than there is room for");
  *entry = sources_.add(source);
}

std::optional<Source> Connections::remove(pid_t child) noexcept {
  uint32_t *const entry = entries_.find(static_cast<uint32_t>(child));
  if (!entry) return std::nullopt;
  Source const source = sources_.remove(*entry);
  entries_.remove(entry);
  return source;
}

} // namespace pm::super
