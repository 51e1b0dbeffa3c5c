/** Unlinking the files of dead processes, and those of changes that were killed. */
#pragma once

#include "libpm/registry/remove.h"
#include "libpm/registry/transaction.h"
#include "libpm/util/callback.h"

namespace pm::registry {

/** The number of entries that a sweep in passing tests in a directory, and the number after which it stops if none was dead. */
inline constexpr unsigned sweep_window = 16, sweep_probe = 1;

/** Each function that returns a number returns how many entries it unlinked. */
class Sweeper {
 public:
  enum class Extent : uint8_t {
    passing, /**< a few entries of each directory that a change writes to anyway, from a random one on */
    whole    /**< all entries */
  };
  Sweeper(Transaction &transaction, Extent extent) noexcept : transaction_(&transaction), whole_(extent == Extent::whole) {}

  /** An owner's registrations of a service. */
  [[nodiscard]] Result<unsigned> registrations(std::string_view service, std::string_view owner, Announces announces) noexcept;
  /** An owner's registrations of all services, by owner/UID. */
  [[nodiscard]] Result<unsigned> owner(std::string_view owner) noexcept;
  /** What changes that were killed have left of an owner's registrations of a service: living FIFOs without a registration. */
  [[nodiscard]] Result<unsigned> leftovers(std::string_view service, std::string_view owner) noexcept;
  /** A user's listeners, by listener/UID. */
  [[nodiscard]] Result<unsigned> listeners(std::string_view owner) noexcept;
  /** The links exe/PID to announcements that are gone. */
  [[nodiscard]] Result<unsigned> announcement_links() noexcept;
  /** Directories of services that have neither registrations nor listeners. */
  void idle_services() noexcept;

  /** All owners' registrations of a service, and its listeners. */
  [[nodiscard]] Result<unsigned> service(std::string_view service, Announces announces) noexcept;
  /** All of owner/ and listener/, and the registry's listeners. */
  [[nodiscard]] Result<unsigned> owners() noexcept;

 private:
  /** The result of testing a name. */
  enum class Tested : uint8_t { passed_over, alive, swept };
  using Test = Callback<Result<Tested>(char const *name)>;

  [[nodiscard]] Result<unsigned> test_names(char const *path, Test test) noexcept;
  [[nodiscard]] Result<bool> is_dead(std::string_view service, Path const &path) noexcept;
  [[nodiscard]] Result<bool> is_left(Ticket const &ticket) noexcept;

  Transaction *transaction_;
  bool whole_;
};

/** Sweeps a whole registry. It takes the lock for each service again, so that other changes can be made in between. */
[[nodiscard]] Result<unsigned> sweep(Tree const &tree, Limit limit, Announces announces = Announces::nothing) noexcept;

} // namespace pm::registry
