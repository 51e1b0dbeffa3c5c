/**
 * Events for C++ programs: what happens to services, in fifodirs, and at a worker's socket.
 *
 *     auto watch = pm::Watch::open();
 *     auto web = watch->services(*registry, {.service = "web"});
 *     auto event = watch->next(pm::Limit::in(10s));   // or next(pm::Limit::now()) until it has none, and poll(2) for watch->fd()
 *
 * These classes are the functions of pm.h with owners. See pm-library(7).
 */
#ifndef PM_EVENTS_H
#define PM_EVENTS_H

#include <pm/registry.h>
#include <pm/services.h>
#include <span>

namespace pm {

struct Event {
  enum class Kind : std::uint8_t {
    up = PM_UP,             /**< a trusted registration began */
    down = PM_DOWN,         /**< one ended */
    changed = PM_CHANGED,   /**< one was rewritten */
    notified = PM_NOTIFIED, /**< bytes that were sent to a fifodir match the expression */
    offered = PM_OFFERED    /**< a process hands a descriptor over */
  };
  Kind kind;
  int source;                         /**< what services(), fifodir() or offers() returned */
  RegisteredService registration;     /**< up, down, changed */
  std::string text;                   /**< notified: the bytes that match */
  Fd descriptor;                      /**< offered */
  std::vector<std::string> variables; /**< offered: NAME=VALUE of its connection, PROTO first */
};

/** Several sources of events, with one descriptor to wait for. */
class Watch {
 public:
  [[nodiscard]] static Outcome<Watch> open() {
    ::pm_watch *watch = nullptr;
    if (::pm_watch_open(&watch) < 0) return tl::unexpected<Error>(last_error());
    return Watch(watch);
  }

  /**
   * Adds the services of a query in a registry, whose handle this may outlive. The first events are those of the registrations that
   * are there. Returns the source's number.
   */
  [[nodiscard]] Outcome<int> services(Registry const &registry, Query const &query, Limit limit = {}) {
    auto const view = query.view();
    return number(::pm_watch_services(watch_.get(), registry.handle(), &view, timeout_of(limit), limit.stop));
  }
  /** Adds a fifodir, and a POSIX extended regular expression for the bytes that notifiers send. */
  [[nodiscard]] Outcome<int> fifodir(std::string const &path, std::string const &expression) {
    return number(::pm_watch_fifodir(watch_.get(), path.c_str(), expression.c_str()));
  }
  /**
   * Makes this process a worker: adds a listening Unix socket. Root, this process's user and `users` may hand descriptors over.
   */
  [[nodiscard]] Outcome<int> offers(int listening, std::span<uid_t const> users = {}) {
    return number(::pm_watch_offers(watch_.get(), listening, users.data(), users.size()));
  }

  /** For poll(2), after next() has returned no event. */
  [[nodiscard]] int fd() const noexcept { return ::pm_watch_fd(watch_.get()); }
  /** The next event; nothing: none came within the limit. */
  [[nodiscard]] Outcome<std::optional<Event>> next(Limit limit = {}) {
    ::pm_event event;
    int const got = ::pm_watch_next(watch_.get(), &event, timeout_of(limit), limit.stop);
    if (got < 0) return tl::unexpected<Error>(last_error());
    if (got == 0) return std::optional<Event>();
    Event next{static_cast<Event::Kind>(event.kind), event.source, {}, {}, Fd(event.fd), {}};
    if (event.registration) next.registration = RegisteredService(*event.registration);
    if (event.text) next.text.assign(event.text, event.size);
    for (auto const *variable = event.variables; variable && *variable; ++variable) next.variables.emplace_back(*variable);
    return std::optional<Event>(std::move(next));
  }

 private:
  explicit Watch(::pm_watch *watch) noexcept : watch_(watch) {}
  [[nodiscard]] static Outcome<int> number(int result) noexcept {
    return result < 0 ? Outcome<int>(tl::unexpected<Error>(last_error())) : Outcome<int>(result);
  }
  struct Close {
    void operator()(::pm_watch *watch) const noexcept { ::pm_watch_close(watch); }
  };
  std::unique_ptr<::pm_watch, Close> watch_;
};

/** Sends bytes, at most 4096, to the listeners of a fifodir. Returns how many got them. Does not wait. */
[[nodiscard]] inline Outcome<std::size_t> notify(std::string const &fifodir, std::string_view bytes) {
  int const count = ::pm_notify(fifodir.c_str(), bytes.data(), bytes.size());
  return count < 0 ? Outcome<std::size_t>(tl::unexpected<Error>(last_error()))
                   : Outcome<std::size_t>(static_cast<std::size_t>(count));
}

} // namespace pm

#endif
