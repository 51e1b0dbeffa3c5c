/** The tables of pm-list and pm-watch. */
#pragma once

#include "cli/registry_options.h"
#include "cli/table.h"

namespace pm::registry {

/** The options -o and -j. */
struct TableSettings {
  std::optional<Fields> fields; /**< nothing: the default */
  bool json = false;
};

/** The options -o and -j. They set TableSettings. */
template <auto... Path>
consteval auto table_options() noexcept {
  constexpr char const *help =
      "print these fields, with commas: service version netid address uid pid start since flags holder exe id origin";
  return options(option<as_fields, Path..., &TableSettings::fields>('o', "FIELDS", help),
                 json_option<Path..., &TableSettings::json>());
}

class RegistrationTable {
 public:
  /** If `has_events`, the first value of each row is an event. */
  RegistrationTable(Table::Style const &style, Fields const &fields, bool has_events) noexcept;
  RegistrationTable(RegistrationTable const &) = delete;
  RegistrationTable &operator=(RegistrationTable const &) = delete;

  void add_names() noexcept { table_.add_names(); }
  /** `event`: nothing in a table without events. */
  void add(std::optional<std::string_view> event, LiveRegistration const &registration) noexcept;
  /** A row with an event only. */
  void add(std::string_view event) noexcept;
  [[nodiscard]] List<char> take() noexcept { return table_.take(); }

 private:
  [[nodiscard]] static List<Column> columns(Fields const &fields, bool has_events) noexcept;

  Fields fields_;
  List<Column> columns_;
  Table table_;
};

} // namespace pm::registry
