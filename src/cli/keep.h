/** Keeps a registration alive: for the program that this process executes, or in this process. */
#pragma once

#include "cli/client_timeout.h"
#include "libpm/os/ready_pipe.h"
#include "libpm/os/signals.h"
#include "libpm/registry/change.h"

namespace pm::registry {

/** The options of a command line that say how a registration is kept. */
struct Keeping {
  Route route = Route::direct;
  ClientTimeout timeout = {};
  int ready = -1;         /**< -N: the descriptor to which PROG, or without PROG this process, writes a newline; -1: none */
  bool is_public = false; /**< the record names the executable, so it is published only after exec */
  bool inherit = false;   /**< PROG holds the token; there is no holder for it */
  bool until_end = false; /**< without PROG: end when standard input ends, too */
  std::optional<std::string_view> origin = {}; /**< -H: as Record::origin */

  [[nodiscard]] Change::Absent absent() const noexcept {
    return timeout.awaits() ? Change::Absent::is_awaited : Change::Absent::fails;
  }
  /** The terms of a registration for PROG. */
  [[nodiscard]] RegistrationTerms terms() const noexcept {
    return {.reserve = ready >= 0 || is_public,
            .holder = inherit ? "self" : "child",
            .is_public = is_public,
            .origin = origin.value_or("")};
  }
  /**
   * The pipe that reports when to publish; invalid if the registration is published at once. Call it before any descriptor is
   * opened, which might get the number of `ready`. Ends the program if it fails.
   */
  [[nodiscard]] ReadyPipe pipe() const noexcept;
};

/**
 * Executes `program`. First starts a holder, which keeps `made` alive and publishes it if it was reserved. Returns only if
 * `program` cannot be executed: it has removed the registration, and returns the exit code. If another step fails, removes the
 * registration and ends the program.
 */
[[nodiscard]] int become_registered(Tree const &tree, Keeping const &keeping, NewRegistrations made, ReadyPipe pipe,
                                    char const *const *program) noexcept;

/**
 * Starts a holder that keeps `made` alive as long as process `pid` runs; `process` is its pidfd. `arguments`: as HolderTask. If that
 * fails, removes the registration and ends the program.
 */
void leave_holder(Tree const &tree, Keeping const &keeping, NewRegistrations made, Fd process, pid_t pid,
                  char const *const *arguments) noexcept;

/**
 * Announces readiness, and holds `made` until a signal of `ends` comes, standard input ends (`until_end`), or all registrations
 * of `made` have been removed. Trap `ends` before making `made`. Returns the exit code.
 */
[[nodiscard]] int hold_until(Signals const &ends, Tree const &tree, Keeping const &keeping,
                             NewRegistrations const &made) noexcept;

} // namespace pm::registry
