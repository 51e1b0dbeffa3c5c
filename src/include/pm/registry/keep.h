/** Keeping a registration alive: for the program that this process becomes, or by this process itself. */
#ifndef PM_REGISTRY_KEEP_H
#define PM_REGISTRY_KEEP_H

#include <pm/base/ready_pipe.h>
#include <pm/base/signals.h>
#include <pm/registry/editor.h>

namespace pm::registry {

/** How a command line wants its registration kept. */
struct Keeping {
  Way way = Way::by_rights;
  uint32_t timeout = 10000; /**< ms for each thing that is asked of the registry; 0: for ever */
  int ready = -1;           /**< -N: where PROG writes a newline, or where this process does; -1: nowhere */
  bool is_public = false;   /**< the executable is to be seen, so nothing is before exec */
  bool inherit = false;     /**< PROG holds the token, and not a process for it */
  bool until_end = false;   /**< without PROG: until standard input ends, too */

  /** What a registration for PROG is to be made with. */
  [[nodiscard]] Terms terms() const noexcept {
    return {.reserve = ready >= 0 || is_public, .holder = inherit ? "self" : "child", .is_public = is_public};
  }
  /** The pipe that says when to publish, if anything is to be published later. Make it before any descriptor is opened. Ends the program. */
  [[nodiscard]] ReadyPipe pipe() const noexcept;
};

/**
 * Becomes `program`, and leaves a process behind that holds `made` for it, and publishes it where it was reserved. Returns only
 * if that cannot be: the registration is undone, and the code is to exit with.
 */
[[nodiscard]] int become_registered(Registry const &registry, Keeping const &keeping, Registration made, ReadyPipe pipe,
                                    char const *const *program) noexcept;

/** Says that it is ready, and holds `made` until one of `ends` comes, trapped before it was made, or all of it was removed. The code to exit with. */
[[nodiscard]] int hold_until(Signals const &ends, Registry const &registry, Keeping const &keeping,
                             Registration const &made) noexcept;

} // namespace pm::registry

#endif
