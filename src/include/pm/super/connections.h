/** Who is connected: which child serves whom, and how many serve one user or address. */
#ifndef PM_SUPER_CONNECTIONS_H
#define PM_SUPER_CONNECTIONS_H

#include <pm/super/sources.h>
#include <pm/super/table.h>
#include <sys/types.h>
#include <optional>

namespace pm::super {

/** At most `most` connections; each change takes the same time whatever their number. */
class Connections {
 public:
  /** ENOMEM. */
  [[nodiscard]] static Result<Connections> make(uint32_t most) noexcept;

  [[nodiscard]] uint32_t count() const noexcept { return entries_.size(); }
  [[nodiscard]] bool full() const noexcept { return count() == most_; }
  /** How many of this source there are. */
  [[nodiscard]] uint32_t count(Source const &source) const noexcept { return sources_.count(source); }

  /** `child` serves `source` from now on. Not when full(). */
  void add(pid_t child, Source const &source) noexcept;
  /** `child` has ended. Whom it served, or nothing: it was no child that serves. */
  [[nodiscard]] std::optional<Source> remove(pid_t child) noexcept;

  template <class Visit>
  void each_child(Visit visit) const noexcept {
    entries_.each([&](uint32_t child, uint32_t) noexcept { visit(static_cast<pid_t>(child)); });
  }

 private:
  Connections(Table entries, Sources sources, uint32_t most) noexcept
      : entries_(static_cast<Table &&>(entries)), sources_(static_cast<Sources &&>(sources)), most_(most) {}

  Table entries_; /**< the entry of its source by pid */
  Sources sources_;
  uint32_t most_;
};

} // namespace pm::super

#endif
