/** The state of a pm::Registry. */
#pragma once

#include "libpm/client/error.h"
#include "libpm/client/held.h"
#include "libpm/registry/change.h"

namespace pm::client {

struct Handle {
  explicit Handle(registry::Tree opened) noexcept : tree(static_cast<registry::Tree &&>(opened)) {}

  registry::Tree tree;
  pid_t process = 0; /**< the process that opened it */
  bool closed = false;
  uint64_t numbers = 0;
  Box<HeldTogether> held;         /**< the newest first */
  Box<HeldTogether> announcement; /**< empty: none */
  Handle *next = nullptr;         /**< in the list of all handles of the process */
};

/** Whether a call may begin. If not, sets `error`: forked, closed, cancelled or system. A cancellation closes the handle. */
[[nodiscard]] bool begin(Handle *handle, Limit limit, Error &error) noexcept;

/** Sets `error` and returns false, as fail_with(). A cancellation closes the handle. */
bool fail(Handle &handle, registry::Failure const &failure, Error &error) noexcept;

/** A Change of the handle's registry. All operations of one call share its limit. */
[[nodiscard]] inline registry::Change change(Handle &handle, Limit limit) noexcept {
  return registry::Change(handle.tree, registry::Route::direct, limit);
}

/** Closes the tokens, which ends all registrations. It does not remove their files. */
void drop(Handle &handle) noexcept;

/** Removes registrations from the registry, batch_max at a time. Returns how many of them existed. */
[[nodiscard]] registry::Answer<unsigned> remove_all(Handle &handle, std::span<registry::Ticket const> tickets,
                                                    Limit limit) noexcept;

} // namespace pm::client
