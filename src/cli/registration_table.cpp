#include "cli/registration_table.h"

namespace pm::registry {

namespace {

Kind kind_of(Field field) noexcept {
  switch (field) {
    case Field::version: return Kind::number_or_none;
    case Field::uid: return Kind::user;
    case Field::pid: return Kind::number_or_none;
    case Field::start: return Kind::ticks;
    case Field::since: return Kind::moment;
    case Field::flags: return Kind::words;
    default: return Kind::text;
  }
}

} // namespace

RegistrationTable::RegistrationTable(Table::Style const &style, Fields const &fields, bool has_events) noexcept
    : fields_(fields), columns_(columns(fields, has_events)), table_(style, {columns_.begin(), columns_.size()}) {}

List<Column> RegistrationTable::columns(Fields const &fields, bool has_events) noexcept {
  List<Column> columns;
  if (has_events && !columns.append({"event", Kind::text})) die_no_memory();
  for (size_t i = 0; i < fields.size(); ++i)
    if (!columns.append({name(fields[i]), kind_of(fields[i])})) die_no_memory();
  return columns;
}

void RegistrationTable::add(std::optional<std::string_view> event, LiveRegistration const &registration) noexcept {
  if (event) table_.add(*event);
  for (size_t i = 0; i < fields_.size(); ++i) table_.add(value(registration, fields_[i]).view());
  table_.end_row();
}

void RegistrationTable::add(std::string_view event) noexcept {
  table_.add(event);
  table_.end_row();
}

} // namespace pm::registry
