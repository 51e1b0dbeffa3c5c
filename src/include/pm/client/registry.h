/**
 * The registry for C++ programs: register, look, connect, and know whose executable a process is.
 *
 *     auto registry = pm::Registry::open();
 *     auto held = registry->reg("web", pm::At::descriptor(listening));
 *     if (!held) std::cerr << held.error().text() << '\n';
 *
 * This header needs the standard library and tl/expected.hpp, and none of the library's other headers: those are its own
 * interface between its layers, where pm::registry::Registry is a registry's directory and not this handle.
 * Nothing here throws but std::bad_alloc. pm-library(7) tells more.
 */
#ifndef PM_CLIENT_REGISTRY_H
#define PM_CLIENT_REGISTRY_H

#include <sys/types.h>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace pm {

/** What a call came to that did not come to what was wanted. */
enum class Why : std::uint8_t {
  conflict,      /**< the same (name, version, netid, uid) is registered, and that one or this is exclusive */
  process_limit, /**< the process has as many registrations as it may: Error::limit */
  user_limit,    /**< the user has */
  batch_limit,   /**< more in one call than can be registered at once */
  bad_name,      /**< no name of a service */
  bad_address,   /**< no address, or a descriptor without one; Error::code says why, where the kernel does */
  rule,          /**< the service's rules do not allow this caller that name */
  not_found,     /**< there is no such registration, no such instance */
  not_believed,  /**< where the service should be, somebody else listens */
  cancelled,     /**< the stop descriptor was readable: the handle is closed, and all that it had registered has ended */
  timeout,       /**< not in the time that was given */
  closed,        /**< the handle was closed by an earlier cancellation */
  forked,        /**< the handle is another process's: this one was forked from it */
  system         /**< a system call failed: Error::code */
};

struct Error {
  Why why = Why::system;
  std::size_t index = 0;   /**< which of the services of the call, where one is to blame */
  std::uint32_t limit = 0; /**< the value of the limit that was reached */
  int code = 0;            /**< errno */
  char doing[64] = {};     /**< what could not be done, where a system call failed */

  /** For people: `unable to DOING: REASON`, or why it was refused. */
  [[nodiscard]] std::string text() const;
};

template <class T>
using Outcome = tl::expected<T, Error>;

/** How long a call may take, and what stops it before. */
struct Patience {
  std::chrono::milliseconds timeout{10000}; /**< 0: for ever */
  int stop = -1;                            /**< a descriptor that is readable when it is to be given up; -1: none */
};

/** Where a service is: one address, or with descriptors several. */
class At {
 public:
  /** As text, `tcp:127.0.0.1:8080`, `local:/run/x/socket`, `none`: the forms of pm-registry(7). */
  At(char const *text) : texts_{text} {}
  At(std::string text) : texts_{std::move(text)} {}
  /** TCP at this port of every address of the host. */
  [[nodiscard]] static At port(std::uint16_t number) { return At("tcp:0.0.0.0:" + std::to_string(number)); }
  /** What getsockname(2) says of a socket, which is tcp, tcp6, udp, udp6 or local. It stays the caller's. */
  [[nodiscard]] static At descriptor(int fd) { return descriptors({fd}); }
  [[nodiscard]] static At descriptors(std::vector<int> fds) {
    At at("");
    at.texts_.clear();
    for (int const fd : fds) at.texts_.push_back("fd:" + std::to_string(fd));
    return at;
  }
  [[nodiscard]] std::vector<std::string> const &texts() const noexcept { return texts_; }

 private:
  std::vector<std::string> texts_;
};

struct Service {
  std::string name;
  At at;
  std::uint32_t version = 0; /**< 0: none */
};

/** Flags of a registration, to be or-ed. */
enum Flags : unsigned {
  plain = 0,
  exclusive = 1, /**< refused while another of the same name, version, netid and uid is there, and it refuses others */
  visible = 2    /**< public: the record tells the executable */
};

/** Whose registrations a connection may be made to. */
class Whom {
 public:
  /** Root's, the registry owner's and one's own: whom pm-lookup(1) believes. */
  [[nodiscard]] static Whom believed() noexcept { return {0, 0}; }
  [[nodiscard]] static Whom own() noexcept;
  [[nodiscard]] static Whom user(uid_t uid) noexcept { return {1, uid}; }
  [[nodiscard]] static Whom root() noexcept { return {1, 0}; }
  [[nodiscard]] static Whom anyone() noexcept { return {2, 0}; }

  int kind;
  uid_t uid;
};

/** One registration that is alive. */
struct Entry {
  std::string service;
  std::uint32_t version = 0;
  std::string netid, address;
  std::optional<uid_t> uid; /**< by the kernel's word; nothing: an owner it cannot name */
  pid_t pid = 0;
  bool exclusive = false, visible = false;
  std::string executable; /**< of public ones: what the registrant said */
  bool deleted = false;   /**< its file was gone */
  std::string id;
};

/** What list() gives: one of each set that is not empty. */
struct Selection {
  std::vector<std::string> services{};
  std::vector<std::uint32_t> versions{};
  std::vector<std::string> netids{};
  std::vector<uid_t> uids{};
  std::vector<pid_t> pids{};
};

/** The executable of a process, as it has announced it. */
struct Announced {
  std::string path;     /**< empty: it has not, has ended, or its number is another process's by now */
  bool deleted = false; /**< the file had no name any more when it was announced */
};

namespace client {

struct Handle;
struct Found;
/** An instance as the library has it: views into a Found. */
struct View {
  std::string_view service, netid, address, owner, executable, id;
  std::uint32_t version;
  pid_t pid;
  bool exclusive, visible, deleted;
};
struct Wanted {
  std::string_view service, address;
  std::uint32_t version;
};
struct Sets {
  std::string_view const *services;
  std::size_t service_count;
  std::uint32_t const *versions;
  std::size_t version_count;
  std::string_view const *netids;
  std::size_t netid_count;
  uid_t const *uids;
  std::size_t uid_count;
  pid_t const *pids;
  std::size_t pid_count;
};
/** Milliseconds, and the stop descriptor. */
struct Limits {
  std::uint32_t timeout;
  int stop;
};

// What is behind the classes below. Each returns whether it was done; if not, `error` says why. They throw nothing.
[[nodiscard]] bool open(char const *path, Handle *&handle, Error &error) noexcept;
void retain(Handle *handle) noexcept;
void release(Handle *handle) noexcept;
/** Ends all that was registered by it. The handle goes with its last reference. */
void close(Handle *handle) noexcept;
[[nodiscard]] bool add(Handle *handle, Wanted const *wanted, std::size_t count, unsigned flags, Limits limits,
                       std::uint64_t &number, Error &error) noexcept;
/** Ends one registration; no such number: nothing to do. */
[[nodiscard]] bool end(Handle *handle, std::uint64_t number, Limits limits, Error &error) noexcept;
[[nodiscard]] bool remove(Handle *handle, std::string_view service, std::string_view const *addresses, std::size_t count,
                          Limits limits, std::size_t &removed, Error &error) noexcept;
[[nodiscard]] bool list(Handle *handle, Sets const &sets, Limits limits, Found *&found, Error &error) noexcept;
[[nodiscard]] bool find(Handle *handle, std::string_view service, Whom whom, std::uint32_t const *version, std::string_view netid,
                        Limits limits, Found *&found, Error &error) noexcept;
[[nodiscard]] std::size_t size(Found const *found) noexcept;
void view(Found const *found, std::size_t i, View &out) noexcept;
void release(Found *found) noexcept;
/** `fd` is the caller's; the instance that was reached is number `which` in `found`, which is set in any case. */
[[nodiscard]] bool connect(Handle *handle, std::string_view service, Whom whom, std::uint32_t const *version,
                           std::string_view netid, Limits limits, int &fd, Found *&found, std::size_t &which,
                           Error &error) noexcept;
void close_descriptor(int fd) noexcept;
[[nodiscard]] bool announce(Handle *handle, Limits limits, Error &error) noexcept;
[[nodiscard]] bool withdraw(Handle *handle, Limits limits, Error &error) noexcept;
/** Up to `room` bytes of the path, and how long it is. */
[[nodiscard]] bool executable(Handle *handle, pid_t pid, Limits limits, char *path, std::size_t room, std::size_t &size,
                              bool &deleted, Error &error) noexcept;
/** The text of an error, cut to what there is room for, with a NUL. */
void explain(Error const &error, char *text, std::size_t room) noexcept;

/** A reference to a handle. */
class Reference {
 public:
  explicit Reference(Handle *handle = nullptr) noexcept : handle_(handle) {}
  Reference(Reference &&other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Reference &operator=(Reference &&other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Reference() {
    if (handle_) release(handle_);
  }
  [[nodiscard]] Reference copy() const noexcept {
    if (handle_) retain(handle_);
    return Reference(handle_);
  }
  [[nodiscard]] Handle *get() const noexcept { return handle_; }

 private:
  Handle *handle_;
};

struct FreeFound {
  void operator()(Found *found) const noexcept { release(found); }
};
using FoundPointer = std::unique_ptr<Found, FreeFound>;

[[nodiscard]] inline Limits limits(Patience const &patience) noexcept {
  auto const ms = patience.timeout.count();
  return {ms <= 0 ? 0 : ms > 0xffffffff ? 0xffffffffU : static_cast<std::uint32_t>(ms), patience.stop};
}
[[nodiscard]] inline Entry entry(Found const *found, std::size_t i) {
  View v;
  view(found, i, v);
  Entry e;
  e.service = v.service;
  e.version = v.version;
  e.netid = v.netid;
  e.address = v.address;
  if (v.owner != "-") e.uid = static_cast<uid_t>(std::stoul(std::string(v.owner)));
  e.pid = v.pid;
  e.exclusive = v.exclusive;
  e.visible = v.visible;
  e.executable = v.executable;
  e.deleted = v.deleted;
  e.id = v.id;
  return e;
}
[[nodiscard]] inline std::vector<Entry> entries(Found const *found) {
  std::vector<Entry> all;
  all.reserve(size(found));
  for (std::size_t i = 0; i < size(found); ++i) all.push_back(entry(found, i));
  return all;
}

} // namespace client

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
