/** Who is connected: which child serves whom, and how many serve one user. */
#ifndef PM_SUPER_CONNECTIONS_H
#define PM_SUPER_CONNECTIONS_H

#include <pm/super/table.h>
#include <sys/types.h>
#include <optional>

namespace pm::super {

/** At most `most` connections; each change takes the same time whatever their number. */
class Connections {
 public:
  /** ENOMEM. */
  [[nodiscard]] static Result<Connections> make(uint32_t most) noexcept;

  [[nodiscard]] uint32_t count() const noexcept { return users_of_.size(); }
  [[nodiscard]] bool full() const noexcept { return count() == most_; }
  /** How many of this user there are. */
  [[nodiscard]] uint32_t count(uid_t user) noexcept;

  /** `child` serves `user` from now on. Not when full(). */
  void add(pid_t child, uid_t user) noexcept;
  /** `child` has ended. The user it served, or nothing: it was no child that serves. */
  [[nodiscard]] std::optional<uid_t> remove(pid_t child) noexcept;

  template <class Visit>
  void each_child(Visit visit) const noexcept {
    users_of_.each([&](uint32_t child, uint32_t) noexcept { visit(static_cast<pid_t>(child)); });
  }

 private:
  Connections(Table users_of, Table counts, uint32_t most) noexcept
      : users_of_(static_cast<Table &&>(users_of)), counts_(static_cast<Table &&>(counts)), most_(most) {}

  Table users_of_, counts_; /**< the uid by pid; the number by uid, where it is not 0 */
  uint32_t most_;
};

} // namespace pm::super

#endif
