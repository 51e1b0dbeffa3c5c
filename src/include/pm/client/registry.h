/**
 * The registry for C++ programs: register, look, connect, and know whose executable a process is.
 *
 *     auto registry = pm::Registry::open();
 *     auto held = registry->reg("web", pm::At::descriptor(listening));
 *     if (!held) std::cerr << held.error().text() << '\n';
 *
 * This header and the two it includes need the standard library and tl/expected.hpp, and none of the library's other headers:
 * those are its own interface between its layers, where pm::registry::Registry is a registry's directory and not this handle.
 * Nothing here throws but std::bad_alloc. pm-library(7) tells more.
 */
#ifndef PM_CLIENT_REGISTRY_H
#define PM_CLIENT_REGISTRY_H

#include <pm/client/calls.h>
#include <pm/client/values.h>

namespace pm {

inline std::string Error::text() const {
  char room[512];
  client::explain(*this, room, sizeof room);
  return room;
}

/** What was registered by one call: it ends when this is destroyed, or when its handle is, or its process. */
class Registration {
 public:
  Registration(Registration &&other) noexcept : handle_(std::move(other.handle_)), number_(std::exchange(other.number_, 0)) {}
  Registration &operator=(Registration &&other) noexcept {
    std::swap(handle_, other.handle_);
    std::swap(number_, other.number_);
    return *this;
  }
  /** Waits a second at most for the registry; what it could not unlink then is dead all the same. */
  ~Registration() {
    Error ignored;
    if (number_) (void)client::end(handle_.get(), number_, {1000, -1}, ignored);
  }

  /** Ends it now. */
  Outcome<void> end(Patience const &patience = {}) {
    Error error;
    if (!client::end(handle_.get(), std::exchange(number_, 0), client::limits(patience), error))
      return tl::unexpected<Error>(error);
    return {};
  }

 private:
  friend class Registry;
  Registration(client::Reference handle, std::uint64_t number) noexcept : handle_(std::move(handle)), number_(number) {}
  client::Reference handle_;
  std::uint64_t number_;
};

/** A connection to a service. */
class ServiceConnection {
 public:
  ServiceConnection(ServiceConnection &&other) noexcept
      : instance(std::move(other.instance)), fd_(std::exchange(other.fd_, -1)) {}
  ServiceConnection &operator=(ServiceConnection &&other) noexcept {
    std::swap(instance, other.instance);
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~ServiceConnection() {
    if (fd_ >= 0) client::close_descriptor(fd_);
  }
  /** A socket, blocking and close-on-exec. */
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }

  Entry instance; /**< which one was reached: its address, its uid */

 private:
  friend class Registry;
  ServiceConnection(int fd, Entry reached) noexcept : instance(std::move(reached)), fd_(fd) {}
  int fd_;
};

/**
 * A registry, and what this process registers in it through this handle. Handles do not disturb each other. A handle is for one
 * thread at a time. In a process that was forked from its own it refuses everything, and its end changes nothing.
 */
class Registry {
 public:
  /** `path`: the registry's directory; empty: $PM_REGISTRY, or the one built in. Why::system: there is none. */
  [[nodiscard]] static Outcome<Registry> open(std::string const &path = {}) {
    Error error;
    client::Handle *handle = nullptr;
    if (!client::open(path.empty() ? nullptr : path.c_str(), handle, error)) return tl::unexpected<Error>(error);
    return Registry(client::Reference(handle));
  }
  Registry(Registry &&) noexcept = default;
  Registry &operator=(Registry &&) noexcept = default;
  /** Ends all that was registered by it. */
  ~Registry() {
    if (handle_.get()) client::close(handle_.get());
  }

  /** Registers all of the services or none, under this process's pid and effective user. */
  [[nodiscard]] Outcome<Registration> reg(std::vector<Service> const &services, unsigned flags = plain,
                                          Patience const &patience = {}) {
    std::vector<client::Wanted> wanted;
    std::vector<std::size_t> of;
    for (auto const &service : services)
      for (auto const &text : service.at.texts()) {
        wanted.push_back({service.name, text, service.version});
        of.push_back(static_cast<std::size_t>(&service - services.data()));
      }
    Error error;
    std::uint64_t number = 0;
    if (!client::add(handle_.get(), wanted.data(), wanted.size(), flags, client::limits(patience), number, error)) {
      error.index = error.index < of.size() ? of[error.index] : 0;
      return tl::unexpected<Error>(error);
    }
    return Registration(handle_.copy(), number);
  }
  [[nodiscard]] Outcome<Registration> reg(std::string name, At at, unsigned flags = plain, Patience const &patience = {}) {
    return reg(std::vector<Service>{{std::move(name), std::move(at)}}, flags, patience);
  }

  /** Ends what this handle has registered of a service: at these addresses. How many. Why::not_found: none was. */
  [[nodiscard]] Outcome<std::size_t> dereg(std::string const &service, At const &at, Patience const &patience = {}) {
    std::vector<std::string_view> addresses(at.texts().begin(), at.texts().end());
    return remove(service, addresses, patience);
  }
  /** The same of all of a service. */
  [[nodiscard]] Outcome<std::size_t> dereg(std::string const &service, Patience const &patience = {}) {
    return remove(service, {}, patience);
  }

  /** All that is registered, by whomever: by service, and the oldest first. */
  [[nodiscard]] Outcome<std::vector<Entry>> list(Selection const &selection = {}, Patience const &patience = {}) const {
    std::vector<std::string_view> services(selection.services.begin(), selection.services.end()),
        netids(selection.netids.begin(), selection.netids.end());
    client::Sets const sets = {services.data(),       services.size(),      selection.versions.data(), selection.versions.size(),
                               netids.data(),         netids.size(),        selection.uids.data(),     selection.uids.size(),
                               selection.pids.data(), selection.pids.size()};
    Error error;
    client::Found *raw = nullptr;
    if (!client::list(handle_.get(), sets, client::limits(patience), raw, error)) return tl::unexpected<Error>(error);
    client::FoundPointer const found(raw);
    return client::entries(raw);
  }

  /**
   * The instances of one service that are alive, the oldest first; none is no error. Asked again, it costs three system calls
   * while nothing of that service has changed: the handle keeps some descriptors for it, 65 at most.
   */
  [[nodiscard]] Outcome<std::vector<Entry>> find(std::string const &service, Whom whom = Whom::believed(),
                                                 Patience const &patience = {}, std::optional<std::uint32_t> version = {},
                                                 std::string const &netid = {}) const {
    Error error;
    client::Found *raw = nullptr;
    bool const done =
        client::find(handle_.get(), service, whom, version ? &*version : nullptr, netid, client::limits(patience), raw, error);
    client::FoundPointer const found(raw);
    if (!done) return tl::unexpected<Error>(error);
    return client::entries(raw);
  }

  /**
   * Connects to the oldest instance that answers, by tcp, tcp6 or local. Whoever listens there, on this host, is whom the
   * kernel says it is, or it is passed over. Why::not_found: there is none to connect to; Why::not_believed.
   */
  [[nodiscard]] Outcome<ServiceConnection> connect(std::string const &service, Whom whom = Whom::believed(),
                                                   Patience const &patience = {}, std::optional<std::uint32_t> version = {},
                                                   std::string const &netid = {}) const {
    Error error;
    client::Found *raw = nullptr;
    int fd = -1;
    std::size_t which = 0;
    bool const done = client::connect(handle_.get(), service, whom, version ? &*version : nullptr, netid,
                                      client::limits(patience), fd, raw, which, error);
    client::FoundPointer const found(raw);
    if (!done) return tl::unexpected<Error>(error);
    ServiceConnection connection(fd, {});
    connection.instance = client::entry(raw, which);
    return connection;
  }

  /** Makes this process's executable known, until the handle ends. It counts as a registration. Once more: once more, for what it is now. */
  [[nodiscard]] Outcome<void> regpid2exe(Patience const &patience = {}) {
    Error error;
    if (!client::announce(handle_.get(), client::limits(patience), error)) return tl::unexpected<Error>(error);
    return {};
  }
  /** Why::not_found: this handle has not made it known. */
  [[nodiscard]] Outcome<void> deregpid2exe(Patience const &patience = {}) {
    Error error;
    if (!client::withdraw(handle_.get(), client::limits(patience), error)) return tl::unexpected<Error>(error);
    return {};
  }
  /** The executable of another process, if it has made it known. It is what that process said, and authenticates nobody. */
  [[nodiscard]] Outcome<Announced> pid2exe(pid_t pid, Patience const &patience = {}) const {
    Error error;
    char path[4096];
    std::size_t size = 0;
    Announced announced;
    if (!client::executable(handle_.get(), pid, client::limits(patience), path, sizeof path, size, announced.deleted, error))
      return tl::unexpected<Error>(error);
    announced.path.assign(path, size);
    return announced;
  }

 private:
  explicit Registry(client::Reference handle) noexcept : handle_(std::move(handle)) {}
  [[nodiscard]] Outcome<std::size_t> remove(std::string const &service, std::vector<std::string_view> const &addresses,
                                            Patience const &patience) {
    Error error;
    std::size_t removed = 0;
    if (!client::remove(handle_.get(), service, addresses.data(), addresses.size(), client::limits(patience), removed, error))
      return tl::unexpected<Error>(error);
    return removed;
  }

  client::Reference handle_;
};

} // namespace pm

#endif
