/** Rows: registrations that share one token, each of them a name of it and nothing else. */
#ifndef PM_REGISTRY_ROW_H
#define PM_REGISTRY_ROW_H

#include <pm/base/callback.h>
#include <pm/registry/layout.h>
#include <pm/registry/record.h>

namespace pm::registry {

/**
 * What the name of a row says: as much as a record. Its file is a hard link of layout::onc, so it is there or not at all, and to
 * be alive is for all of them the same. Only a service that is a number of 32 bits has rows; those of an owner whose services
 * have the same last three digits are together in row/OWNER/DIGITS, a directory that stays:
 *
 *     SERVICE:VERSION:NETID:ID:SINCE:HOLDER:ADDRESS
 *
 * ADDRESS is without its netid. Its slashes are backslashes, which no file's name can have otherwise; a backslash is the byte 1.
 */
struct RowName {
  std::string_view id;
  Record record;
  Text<local_path_max + 8> address; /**< what record.address views */

  RowName() noexcept = default;
  RowName(RowName const &) = delete;
  RowName &operator=(RowName const &) = delete;
  /** Whether it is one; then it views it. */
  [[nodiscard]] bool parse(std::string_view name) noexcept;
};

/** Whether a service is a number, as it must be spelled, so that it may have rows. */
[[nodiscard]] bool may_have_rows(std::string_view service) noexcept;

/** The same of a name at a glance, for whoever finds none where there are none. */
[[nodiscard]] inline bool begins_as_number(std::string_view service) noexcept {
  return service.front() >= '0' && service.front() <= '9';
}

/** Visits the rows of a service that an owner has, alive or not; `name` is the token's, in `directory`. `whole` as each_entry(). */
using VisitRow = Callback<Done(int directory, char const *name, RowName const &row)>;
[[nodiscard]] Done each_row(int registry, std::string_view owner, std::string_view service, VisitRow visit,
                            bool whole = false) noexcept;
/** The same of all services, and of all owners. */
using VisitOwnedRow = Callback<Done(int directory, char const *name, std::string_view owner, RowName const &row)>;
[[nodiscard]] Done each_row(int registry, VisitOwnedRow visit, bool whole = false) noexcept;

namespace layout {

/** The one FIFO that all rows are links of. Whoever holds it takes it up again after a death: they wait for it. */
inline constexpr char onc[] = "onc";
inline constexpr char rows[] = "row";
[[nodiscard]] Path rows_of(std::string_view owner) noexcept;
[[nodiscard]] Path rows_of(std::string_view owner, std::string_view service) noexcept;
/** A row. What does not fit a file's name has overflowed. */
[[nodiscard]] Path row(std::string_view owner, std::string_view id, Record const &record) noexcept;

} // namespace layout
} // namespace pm::registry

#endif
