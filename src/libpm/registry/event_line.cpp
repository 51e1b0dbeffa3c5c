#include "libpm/registry/event_line.h"

namespace pm::registry {

Text<event_line_max + 1> format(EventLine const &line) noexcept {
  Text<event_line_max + 1> text;
  text << line.time << (line.after_gap ? "! " : " ") << line.kind << ' ' << line.service << ' ' << line.owner << ' ' << line.name
       << '\n';
  return text;
}

bool read_event_line(std::string_view text, EventLine &line) noexcept {
  auto const time = cut(text, ' '), kind = cut(time.tail, ' '), service = cut(kind.tail, ' '), owner = cut(service.tail, ' ');
  bool const after_gap = time.head.ends_with('!');
  auto const at = number<uint64_t>({time.head.data(), time.head.size() - after_gap});
  if (!at || kind.head.size() != 1 || !may_have_registrations(service.head) || !is_owner_name(owner.head)) return false;
  line = {*at, after_gap, kind.head.front(), service.head, owner.head, owner.tail};
  return true;
}

} // namespace pm::registry
