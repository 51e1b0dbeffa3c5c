/**
 * The registry for C++ programs: register services, find them, connect to them, and read the executable of a process.
 *
 *     auto registry = pm::Registry::open();
 *     if (!registry) return complain(registry.error().text());
 *     auto held = registry->reg("web", pm::At::descriptor(listening));
 *     if (!held) return complain(held.error().text());
 *
 * The functions throw std::bad_alloc and nothing else. pm/services.h declares what they take and return. See pm-library(7).
 */
#ifndef PM_REGISTRY_H
#define PM_REGISTRY_H

#include <pm/services.h>
#include <memory>
#include <span>
#include <string_view>

namespace pm {

/** The functions behind the classes below; programs do not call them. None throws. False: the call failed, and `error` is set. */
namespace client {

struct Handle;
struct FoundRegistrations;

/** A view of a registration, valid as long as its FoundRegistrations. */
struct RegistrationView {
  std::string_view service, netid, address, owner, executable, id;
  std::uint32_t version;
  pid_t pid;
  bool exclusive, visible, deleted;
};
/** One service at one address. */
struct ServiceAt {
  std::string_view service, address;
  std::uint32_t version;
};
/** A view of a Selection. */
struct Sets {
  std::span<std::string_view const> services;
  std::span<std::uint32_t const> versions;
  std::span<std::string_view const> netids;
  std::span<uid_t const> uids;
  std::span<pid_t const> pids;
};
/** The arguments of find() and connect(). */
struct Question {
  std::string_view service;
  Trust trust;
  std::uint32_t const *version; /**< null: any */
  std::string_view netid;       /**< empty: any */
};

[[nodiscard]] bool open(char const *path, Handle *&handle, Error &error) noexcept;
/** Ends all registrations of the handle. */
void close(Handle *handle) noexcept;
void destroy(Handle *handle) noexcept;
[[nodiscard]] bool add(Handle *handle, ServiceAt const *services, std::size_t count, unsigned flags, Limit limit,
                       std::uint64_t &number, Error &error) noexcept;
/** Ends the registrations of one add(). An unknown number is not an error. */
[[nodiscard]] bool end(Handle *handle, std::uint64_t number, Limit limit, Error &error) noexcept;
[[nodiscard]] bool remove(Handle *handle, std::string_view service, std::string_view const *addresses, std::size_t count,
                          Limit limit, std::size_t &removed, Error &error) noexcept;
[[nodiscard]] bool list(Handle *handle, Sets const &sets, Limit limit, FoundRegistrations *&found, Error &error) noexcept;
[[nodiscard]] bool find(Handle *handle, Question const &question, Limit limit, FoundRegistrations *&found, Error &error) noexcept;
/** `found`: the registration of the server. The caller owns `fd`. */
[[nodiscard]] bool connect(Handle *handle, Question const &question, Limit limit, int &fd, FoundRegistrations *&found,
                           Error &error) noexcept;
[[nodiscard]] std::size_t size(FoundRegistrations const *found) noexcept;
void view(FoundRegistrations const *found, std::size_t i, RegistrationView &out) noexcept;
void destroy(FoundRegistrations *found) noexcept;
[[nodiscard]] bool announce(Handle *handle, Limit limit, Error &error) noexcept;
[[nodiscard]] bool withdraw(Handle *handle, Limit limit, Error &error) noexcept;
/** Writes `size` bytes of the path, at most `room`. */
[[nodiscard]] bool executable(Handle *handle, pid_t pid, Limit limit, char *path, std::size_t room, std::size_t &size,
                              bool &deleted, Error &error) noexcept;

struct Destroy {
  void operator()(FoundRegistrations *found) const noexcept { destroy(found); }
};
using FoundPointer = std::unique_ptr<FoundRegistrations, Destroy>;

[[nodiscard]] inline RegisteredService registered(FoundRegistrations const *found, std::size_t i) {
  RegistrationView v;
  view(found, i, v);
  std::optional<uid_t> uid;
  if (v.owner != "-") uid = static_cast<uid_t>(std::stoul(std::string(v.owner)));
  return {std::string(v.service),    v.version, std::string(v.netid), std::string(v.address), uid, v.pid, v.exclusive, v.visible,
          std::string(v.executable), v.deleted, std::string(v.id)};
}
[[nodiscard]] inline std::vector<RegisteredService> all_registered(FoundPointer found) {
  std::vector<RegisteredService> all;
  all.reserve(size(found.get()));
  for (std::size_t i = 0; i < size(found.get()); ++i) all.push_back(registered(found.get(), i));
  return all;
}

} // namespace client

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
  Outcome<void> end(Limit limit = within(std::chrono::seconds(10))) {
    auto const handle = std::move(handle_);
    Error error;
    if (handle && !client::end(handle.get(), number_, limit, error)) return tl::unexpected<Error>(error);
    return {};
  }

 private:
  friend class Registry;
  Registration(std::shared_ptr<client::Handle> handle, std::uint64_t number) noexcept
      : handle_(std::move(handle)), number_(number) {}
  void finish() noexcept {
    Error ignored;
    if (handle_) (void)client::end(handle_.get(), number_, within(std::chrono::seconds(1)), ignored);
  }

  std::shared_ptr<client::Handle> handle_; /**< null: there are no registrations */
  std::uint64_t number_;
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
  ServiceConnection(int fd, RegisteredService reached) noexcept : registration(std::move(reached)), socket_(fd) {}

  Fd socket_;
};

/**
 * A handle of a registry, with the registrations that are made through it. Handles are independent. One thread at a time may use
 * a handle. In a process that is forked later, each call fails with Error::forked, and the destructor changes nothing.
 */
class Registry {
 public:
  /** `path`: the registry's directory; empty: $PM_REGISTRY, or the default of this build. */
  [[nodiscard]] static Outcome<Registry> open(std::string const &path = {}) {
    Error error;
    client::Handle *handle = nullptr;
    if (!client::open(path.empty() ? nullptr : path.c_str(), handle, error)) return tl::unexpected<Error>(error);
    return Registry(std::shared_ptr<client::Handle>(handle, [](client::Handle *last) noexcept { client::destroy(last); }));
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
  [[nodiscard]] Outcome<Registration> reg(std::vector<Service> const &services, unsigned flags = plain,
                                          Limit limit = within(std::chrono::seconds(10))) {
    std::vector<client::ServiceAt> all;
    std::vector<std::size_t> of;
    for (auto const &service : services)
      for (auto const &text : service.at.texts()) {
        all.push_back({service.name, text, service.version});
        of.push_back(static_cast<std::size_t>(&service - services.data()));
      }
    Error error;
    std::uint64_t number = 0;
    if (!client::add(handle_.get(), all.data(), all.size(), flags, limit, number, error)) {
      error.index = error.index < of.size() ? of[error.index] : 0;
      return tl::unexpected<Error>(error);
    }
    return Registration(handle_, number);
  }
  [[nodiscard]] Outcome<Registration> reg(std::string name, At at, unsigned flags = plain,
                                          Limit limit = within(std::chrono::seconds(10))) {
    return reg(std::vector<Service>{{std::move(name), std::move(at)}}, flags, limit);
  }

  /** Ends this handle's registrations of a service at these addresses. Returns how many. Error::not_found: there are none. */
  [[nodiscard]] Outcome<std::size_t> dereg(std::string const &service, At const &at,
                                           Limit limit = within(std::chrono::seconds(10))) {
    return remove(service, {at.texts().begin(), at.texts().end()}, limit);
  }
  /** The same, at all addresses. */
  [[nodiscard]] Outcome<std::size_t> dereg(std::string const &service, Limit limit = within(std::chrono::seconds(10))) {
    return remove(service, {}, limit);
  }

  /** The registrations of all users, sorted by service, the oldest of a service first. */
  [[nodiscard]] Outcome<std::vector<RegisteredService>> list(Selection const &selection = {},
                                                             Limit limit = within(std::chrono::seconds(10))) const {
    std::vector<std::string_view> services(selection.services.begin(), selection.services.end()),
        netids(selection.netids.begin(), selection.netids.end());
    client::Sets const sets = {services, selection.versions, netids, selection.uids, selection.pids};
    Error error;
    client::FoundRegistrations *raw = nullptr;
    if (!client::list(handle_.get(), sets, limit, raw, error)) return tl::unexpected<Error>(error);
    return client::all_registered(client::FoundPointer(raw));
  }

  /**
   * The living registrations of a service, the oldest first; an empty result is not an error. The next call for the service makes
   * three system calls if nothing of it has changed. For this the handle keeps at most 65 descriptors.
   */
  [[nodiscard]] Outcome<std::vector<RegisteredService>> find(std::string const &service, Trust trust = Trust::usual(),
                                                             Limit limit = within(std::chrono::seconds(10)),
                                                             std::optional<std::uint32_t> version = {},
                                                             std::string const &netid = {}) const {
    Error error;
    client::FoundRegistrations *raw = nullptr;
    if (!client::find(handle_.get(), {service, trust, version ? &*version : nullptr, netid}, limit, raw, error))
      return tl::unexpected<Error>(error);
    return client::all_registered(client::FoundPointer(raw));
  }

  /**
   * Connects by tcp, tcp6 or local to the server of the oldest registration that answers. Skips a server on this host unless it
   * runs as root, as this process's user, as a user that `trust` names, or as the user that the registered process has become;
   * with Trust::anyone() it skips none. Error::not_found: no registration; Error::not_trusted.
   */
  [[nodiscard]] Outcome<ServiceConnection> connect(std::string const &service, Trust trust = Trust::usual(),
                                                   Limit limit = within(std::chrono::seconds(10)),
                                                   std::optional<std::uint32_t> version = {},
                                                   std::string const &netid = {}) const {
    Error error;
    client::FoundRegistrations *raw = nullptr;
    int fd = -1;
    if (!client::connect(handle_.get(), {service, trust, version ? &*version : nullptr, netid}, limit, fd, raw, error))
      return tl::unexpected<Error>(error);
    ServiceConnection connection(fd, {});
    client::FoundPointer const found(raw);
    connection.registration = client::registered(raw, 0);
    return connection;
  }

  /** Announces this process's executable until the handle ends. It counts as a registration. Another call replaces it. */
  [[nodiscard]] Outcome<void> regpid2exe(Limit limit = within(std::chrono::seconds(10))) {
    Error error;
    if (!client::announce(handle_.get(), limit, error)) return tl::unexpected<Error>(error);
    return {};
  }
  /** Withdraws the announcement. Error::not_found: this handle has none. */
  [[nodiscard]] Outcome<void> deregpid2exe(Limit limit = within(std::chrono::seconds(10))) {
    Error error;
    if (!client::withdraw(handle_.get(), limit, error)) return tl::unexpected<Error>(error);
    return {};
  }
  /** The executable that a process has announced. The process may lie: do not use it to authenticate. */
  [[nodiscard]] Outcome<Announced> pid2exe(pid_t pid, Limit limit = within(std::chrono::seconds(10))) const {
    Error error;
    char path[4096];
    std::size_t size = 0;
    Announced announced;
    if (!client::executable(handle_.get(), pid, limit, path, sizeof path, size, announced.deleted, error))
      return tl::unexpected<Error>(error);
    announced.path.assign(path, size);
    return announced;
  }

 private:
  explicit Registry(std::shared_ptr<client::Handle> handle) noexcept : handle_(std::move(handle)) {}
  void finish() noexcept {
    if (handle_) client::close(handle_.get());
  }
  [[nodiscard]] Outcome<std::size_t> remove(std::string const &service, std::vector<std::string_view> const &addresses,
                                            Limit limit) {
    Error error;
    std::size_t removed = 0;
    if (!client::remove(handle_.get(), service, addresses.data(), addresses.size(), limit, removed, error))
      return tl::unexpected<Error>(error);
    return removed;
  }

  std::shared_ptr<client::Handle> handle_;
};

} // namespace pm

#endif
