/**
 * The registry for C++ programs: register services, find them, connect to them, and read the executable of a process.
 *
 *     auto registry = pm::Registry::open();
 *     if (!registry) return complain(registry.error().text());
 *     auto held = registry->reg("web", pm::At::descriptor(listening));
 *     if (!held) return complain(held.error().text());
 *
 * These classes are the functions of pm.h with owners. They throw std::bad_alloc and nothing else. pm/services.h declares what
 * they take and return. See pm-library(7).
 */
#ifndef PM_REGISTRY_H
#define PM_REGISTRY_H

#include <pm/services.h>
#include <memory>

namespace pm {

/** The registrations of one call. They end when this or its handle is destroyed or assigned to, and when the process ends. */
class Registration {
 public:
  Registration(Registration &&) noexcept = default;
  Registration &operator=(Registration &&other) noexcept {
    if (this != &other) {
      finish();
      handle_ = std::move(other.handle_);
      number_ = other.number_;
    }
    return *this;
  }
  /** Waits for the registry for at most a second. Files that it could not remove by then are dead, and are swept later. */
  ~Registration() { finish(); }

  /** Ends them now. */
  Outcome<void> end(Limit limit = {}) {
    auto const handle = std::move(handle_);
    if (!handle) return {};
    int const ended = ::pm_release(handle.get(), number_, nullptr, nullptr, timeout_of(limit), limit.stop);
    if (ended < 0 && ended != PM_NOT_FOUND) return tl::unexpected<Error>(last_error());
    return {};
  }

 private:
  friend class Registry;
  Registration(std::shared_ptr<::pm_registry> handle, int number) noexcept : handle_(std::move(handle)), number_(number) {}
  void finish() noexcept {
    if (handle_) (void)::pm_release(handle_.get(), number_, nullptr, nullptr, 1000, -1);
    handle_.reset();
  }

  std::shared_ptr<::pm_registry> handle_; /**< null: there are no registrations */
  int number_;
};

/** A connection to a service. */
class ServiceConnection {
 public:
  /** A socket, blocking and close-on-exec. It belongs to this, or after release() to the caller. */
  [[nodiscard]] int fd() const noexcept { return socket_.get(); }
  [[nodiscard]] int release() noexcept { return socket_.release(); }

  RegisteredService registration; /**< of the server */

 private:
  friend class Registry;
  explicit ServiceConnection(int fd) : socket_(fd) {}

  Fd socket_;
};

/** What wait() waits for. */
enum class Wanted : std::uint8_t { up = PM_UP, down = PM_DOWN, changed = PM_CHANGED };

/**
 * A handle of a registry, with the registrations that are made through it. Handles are independent. One thread at a time may use
 * a handle. In a process that is forked later, each call fails with Status::forked, and the destructor changes nothing.
 */
class Registry {
 public:
  /** `path`: the registry's directory; empty: $PM_REGISTRY, or the default of this build. */
  [[nodiscard]] static Outcome<Registry> open(std::string const &path = {}) {
    ::pm_registry *handle = nullptr;
    if (::pm_open(&handle, path.empty() ? nullptr : path.c_str(), 0) < 0) return failure();
    return Registry(std::shared_ptr<::pm_registry>(handle, ::pm_close));
  }
  Registry(Registry &&) noexcept = default;
  Registry &operator=(Registry &&other) noexcept {
    if (this != &other) {
      finish();
      handle_ = std::move(other.handle_);
    }
    return *this;
  }
  /** Ends all its registrations. */
  ~Registry() { finish(); }

  /** Registers all services or none, under this process's pid and effective user. */
  [[nodiscard]] Outcome<Registration> reg(std::vector<Service> const &services, Terms terms = {}, Limit limit = {}) {
    std::vector<::pm_service> all;
    std::vector<std::uint32_t> of;
    for (auto const &service : services)
      for (auto const &text : service.at.texts()) {
        all.push_back({service.name.c_str(), text.c_str(), service.version});
        of.push_back(static_cast<std::uint32_t>(&service - services.data()));
      }
    unsigned const flags = (terms.exclusive ? unsigned{PM_EXCLUSIVE} : 0U) | (terms.is_public ? unsigned{PM_PUBLIC} : 0U);
    int const number = ::pm_register(handle_.get(), all.data(), all.size(), flags, timeout_of(limit), limit.stop);
    if (number >= 0) return Registration(handle_, number);
    auto error = last_error();
    error.index = error.index < of.size() ? of[error.index] : 0;
    return tl::unexpected<Error>(error);
  }
  [[nodiscard]] Outcome<Registration> reg(std::string name, At at, Terms terms = {}, Limit limit = {}) {
    return reg(std::vector<Service>{{std::move(name), std::move(at)}}, terms, limit);
  }

  /** Ends this handle's registrations of a service at these addresses. Returns how many. not_found: there are none. */
  [[nodiscard]] Outcome<std::size_t> dereg(std::string const &service, At const &at, Limit limit = {}) {
    std::size_t removed = 0;
    for (auto const &text : at.texts()) {
      int const n = ::pm_release(handle_.get(), 0, service.c_str(), text.c_str(), timeout_of(limit), limit.stop);
      if (n < 0 && n != PM_NOT_FOUND) return failure();
      removed += n < 0 ? 0U : static_cast<std::size_t>(n);
    }
    return removed || at.texts().empty() ? Outcome<std::size_t>(removed) : failure();
  }
  /** The same, at all addresses. */
  [[nodiscard]] Outcome<std::size_t> dereg(std::string const &service, Limit limit = {}) {
    int const n = ::pm_release(handle_.get(), 0, service.c_str(), nullptr, timeout_of(limit), limit.stop);
    return n < 0 ? failure() : Outcome<std::size_t>(static_cast<std::size_t>(n));
  }

  /**
   * The living registrations that match, the oldest of a service first; an empty result is not an error. The query without
   * members: those of all services and trusted users. It does not wait.
   */
  [[nodiscard]] Outcome<std::vector<RegisteredService>> find(Query const &query = {}) const {
    auto const view = query.view();
    return results(::pm_find(handle_.get(), &view));
  }

  /**
   * Connects by tcp, tcp6 or local to the server of the oldest registration that answers. Skips a server on this host unless it
   * runs as root, as this process's user, as a user that the query trusts, or as the user that the registered process has become;
   * with Trust::anyone() it skips none. not_found: no registration; not_trusted.
   */
  [[nodiscard]] Outcome<ServiceConnection> connect(Query const &query, Limit limit = {}) const {
    auto const view = query.view();
    int const fd = ::pm_connect(handle_.get(), &view, timeout_of(limit), limit.stop);
    if (fd < 0) return failure();
    ServiceConnection connection(fd);
    connection.registration = RegisteredService(*::pm_result(handle_.get(), 0));
    return connection;
  }

  /** Waits for all services of these queries, or with `any` for one of them. Returns the registrations that match then. */
  [[nodiscard]] Outcome<std::vector<RegisteredService>> wait(Wanted wanted, std::vector<Query> const &queries, Limit limit = {},
                                                             bool any = false) const {
    std::vector<::pm_query> views;
    for (auto const &query : queries) views.push_back(query.view());
    return results(::pm_wait(handle_.get(), static_cast<int>(wanted), views.data(), views.size(), any ? PM_ANY : 0,
                             timeout_of(limit), limit.stop));
  }

  /** Announces this process's executable until the handle ends. It counts as a registration. Another call replaces it. */
  [[nodiscard]] Outcome<void> announce(Limit limit = {}) {
    return nothing(::pm_announce(handle_.get(), timeout_of(limit), limit.stop));
  }
  /** Withdraws the announcement. not_found: this handle has none. */
  [[nodiscard]] Outcome<void> withdraw(Limit limit = {}) {
    return nothing(::pm_withdraw(handle_.get(), timeout_of(limit), limit.stop));
  }
  /** The executable that a process has announced. The process may lie: do not use it to authenticate. */
  [[nodiscard]] Outcome<Announced> executable(pid_t pid) const {
    char path[4096];
    int deleted = 0;
    int const size = ::pm_executable(handle_.get(), pid, path, sizeof path, &deleted);
    if (size < 0 && size != PM_NOT_FOUND) return failure();
    return size < 0 ? Announced() : Announced{std::string(path), deleted != 0};
  }

  /** For a call of pm.h. It belongs to this. */
  [[nodiscard]] ::pm_registry *handle() const noexcept { return handle_.get(); }

 private:
  explicit Registry(std::shared_ptr<::pm_registry> handle) noexcept : handle_(std::move(handle)) {}
  [[nodiscard]] static tl::unexpected<Error> failure() noexcept { return tl::unexpected<Error>(last_error()); }
  [[nodiscard]] static Outcome<void> nothing(int result) noexcept {
    return result < 0 ? Outcome<void>(failure()) : Outcome<void>();
  }
  [[nodiscard]] Outcome<std::vector<RegisteredService>> results(int count) const {
    if (count < 0) return failure();
    std::vector<RegisteredService> all;
    for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) all.emplace_back(*::pm_result(handle_.get(), i));
    return all;
  }
  /** A Registration may outlive this handle: it finds that its registrations have ended. */
  void finish() noexcept {
    if (handle_) (void)::pm_release(handle_.get(), 0, nullptr, nullptr, 1000, -1);
    if (handle_) (void)::pm_withdraw(handle_.get(), 1000, -1);
    handle_.reset();
  }

  std::shared_ptr<::pm_registry> handle_;
};

} // namespace pm

#endif
