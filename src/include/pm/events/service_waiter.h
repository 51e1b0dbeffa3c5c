/** Waiting for a service, in this process: what pm-listend does once it has read its request. */
#ifndef PM_EVENTS_SERVICE_WAITER_H
#define PM_EVENTS_SERVICE_WAITER_H

#include <pm/events/request.h>
#include <pm/events/watch.h>

namespace pm::events {

/**
 * A wait for a service to be up, or down, or for a change of it. One that was down for an instant was down: the waiter
 * that finds another up already is answered all the same, with that one.
 */
class ServiceWaiter {
 public:
  /** Listens from when it returns; what is up and down then counts. Errors as Watch::open, and Watch::look. */
  [[nodiscard]] static registry::Answer<ServiceWaiter> open(registry::Registry const &registry, Request const &request,
                                                            Deadline deadline, int stop = -1,
                                                            registry::Way way = registry::Way::by_rights) noexcept;

  [[nodiscard]] int fd() const noexcept { return watch_.fd(); }
  /**
   * As above; up and down may have been so when it opened. The answer: a netstring for each instance that is up then, oldest
   * first, its owner as `uid=` and its ID as `id=` in front of its record; an empty one if there is none.
   */
  [[nodiscard]] Result<bool> step(List<char> &answer) noexcept;

 private:
  ServiceWaiter(registry::Registry const &registry, Request const &request, Watch watch) noexcept
      : registry_(&registry), kind_(request.kind), service_(request.what), watch_(std::move(watch)) {}
  [[nodiscard]] Done look(bool first) noexcept;
  [[nodiscard]] Result<bool> was_for_others(unsigned announced) noexcept;

  registry::Registry const *registry_;
  Kind kind_;
  Text<registry::service_name_max + 1> service_;
  Watch watch_;
  registry::Instances everybody_; /**< for `change`: all that there are of the service, whoever is believed */
  bool happened_ = false;
};

} // namespace pm::events

#endif
