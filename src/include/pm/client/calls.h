/** What is behind the classes of pm::Registry: functions with neither exceptions nor the standard library's classes, for it alone. */
#ifndef PM_CLIENT_CALLS_H
#define PM_CLIENT_CALLS_H

#include <pm/client/values.h>
#include <memory>
#include <string_view>

namespace pm {

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

} // namespace pm

#endif
