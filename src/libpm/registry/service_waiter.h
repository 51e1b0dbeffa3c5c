/** Waiting for a service, in this process. pm-listend does this after it has read its request. */
#pragma once

#include <optional>
#include "libpm/registry/wait_request.h"
#include "libpm/registry/watch.h"

namespace pm::registry {

/**
 * Waits until services are up, are down, or change: all of them, or any. Each service has a watch, so that a change of one costs the same
 * however many there are. All are up, or down, if they are so at one time; all have changed if each has changed since open(). A service
 * that was down for an instant was down: the wait ends even if another registration is up already, and the answer has that one.
 */
class ServiceWaiter {
 public:
  /**
   * Listens when it returns. A service that is up, or down, at that time ends the wait. `request` is not of the kind `event`. Errors as
   * RegistryWatch::open and RegistryWatch::look.
   */
  [[nodiscard]] static Answer<ServiceWaiter> open(Tree const &tree, WaitRequest const &request, Limit limit,
                                                  Route route = Route::direct,
                                                  Change::Absent absent = Change::Absent::fails) noexcept;
  /** The same for services with a scope each. `any`: one of them is enough. */
  [[nodiscard]] static Answer<ServiceWaiter> open(Tree const &tree, WaitFor kind, bool any, std::span<Scope const> scopes,
                                                  Limit limit) noexcept;
  ServiceWaiter(ServiceWaiter &&other) noexcept = default;
  ServiceWaiter &operator=(ServiceWaiter &&) = delete;
  ~ServiceWaiter();

  [[nodiscard]] int fd() const noexcept { return epoll_ ? epoll_->fd() : services_[0].watch->fd(); }
  /**
   * Whether the wait is over. If so, appends the answer: a netstring for each registration that is up, in the order of the services, the
   * oldest of a service first, with the lines `uid=` and `id=` before its record; an empty netstring if none is up. Does not wait.
   */
  [[nodiscard]] Result<bool> step(List<char> &answer) noexcept;
  /** Whether the wait is over. Does not wait. */
  [[nodiscard]] Result<bool> step() noexcept;
  /** Visits the registrations that are up, in the order of the services, the oldest of a service first. */
  [[nodiscard]] Done each(Callback<void(LiveRegistration const &)> visit) const noexcept;

 private:
  struct Awaited {
    RegistryWatch *watch;
    bool changed; /**< since open() */
    bool ended;   /**< it was down since the last evaluation, for an instant at least */
  };

  ServiceWaiter(WaitFor kind, bool any) noexcept : kind_(kind), any_(any) {}
  [[nodiscard]] Answer<void> add(Tree const &tree, Scope const &scope, Limit limit) noexcept;
  [[nodiscard]] Done look(Awaited &service) noexcept;
  [[nodiscard]] Done look() noexcept;
  [[nodiscard]] bool is_met(Awaited const &service) const noexcept;
  void evaluate() noexcept;
  [[nodiscard]] Done answer_with(List<char> &answer) const noexcept;

  WaitFor kind_;
  bool any_;
  bool happened_ = false;
  std::optional<Epoll> epoll_; /**< of the watches; absent: there is one watch */
  List<Awaited> services_;     /**< owns the watches */
};

} // namespace pm::registry
