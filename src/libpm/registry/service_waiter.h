/** Waiting for a service, in this process. pm-listend does this after it has read its request. */
#pragma once

#include "libpm/registry/wait_request.h"
#include "libpm/registry/watch.h"

namespace pm::registry {

/**
 * Waits until a service is up, is down, or changes. A service that was down for an instant was down: the wait ends even if another
 * registration is up already, and the answer has that one.
 */
class ServiceWaiter {
 public:
  /** Listens when it returns. A service that is up, or down, at that time ends the wait. Errors as Watch::open and Watch::look. */
  [[nodiscard]] static Answer<ServiceWaiter> open(Tree const &tree, WaitRequest const &request, Limit limit,
                                                  Route route = Route::direct) noexcept;

  [[nodiscard]] int fd() const noexcept { return watch_.fd(); }
  /**
   * Whether the wait is over. If so, appends the answer: a netstring for each registration that is up, oldest first, with the lines
   * `uid=` and `id=` before its record; an empty netstring if nothing has happened. Does not wait.
   */
  [[nodiscard]] Result<bool> step(List<char> &answer) noexcept;

 private:
  ServiceWaiter(WaitFor kind, Watch watch) noexcept : kind_(kind), watch_(std::move(watch)) {}
  [[nodiscard]] Done look(bool first) noexcept;

  WaitFor kind_;
  Watch watch_;
  bool happened_ = false;
};

} // namespace pm::registry
